// Every screen by name. A screen has `draw(app, at)` and, where there is a way back, `back`.

import { basket, confirm } from "./basket.js";
import { enrol, insecure, shut } from "./enrol.js";
import { help, status } from "./help.js";
import { home } from "./home.js";
import { money } from "./money.js";
import { orders } from "./orders.js";
import { question, sent } from "./sent.js";
import { categories, item, shelf } from "./shop.js";
import { number, pin } from "./sign_in.js";

export const screens = {
  enrol,
  insecure,
  shut,
  number,
  pin,
  home,
  categories,
  shelf,
  item,
  basket,
  confirm,
  sent,
  question,
  orders,
  money,
  help,
  status,
};
