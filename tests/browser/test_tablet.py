"""The tablet in a real browser: ordering, hiding, keeping, asking."""

from __future__ import annotations

import pytest
from django.utils import timezone

from detention import devices
from tests import situations
from tests.browser.looks import barriers, sideways
from tests.browser.tablet import Tablet, invited, orders_of
from tests.commissary import shop
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser

LANDSCAPE = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def open_shop(site):
    """A facility whose shop is open and whose prices stay; (facility, sku → product)."""
    held, goods = shop.shopper(0)
    return held.facility, goods


@pytest.fixture
def person(open_shop):
    """Somebody with ¥500.00 before an open shop."""
    facility, _goods = open_shop
    return situations.funded(situations.held_person(facility), 500_00)


@pytest.fixture
def dearer(person, open_shop):
    """Return a function that raises a price for everybody, for the length of the test."""
    _facility, goods = open_shop
    raised = []

    def raise_price(sku, fen):
        raised.append(sku)
        shop.reprice(goods[sku], fen)

    yield raise_price
    for sku in raised:
        shop.reprice(goods[sku], shop.GOODS[sku][2])


@pytest.fixture
def take_tablet(person, open_page):
    """Return a function that takes an enrolled tablet of the person's cell into the hand."""

    def take(**options) -> Tablet:
        options.setdefault("has_touch", True)
        tablet = Tablet(open_page(**{**LANDSCAPE, **options}))
        _device, token = situations.enrolled_tablet(person)
        tablet.device = _device
        tablet.enrol(token, person.cell.code)
        return tablet

    return take


@pytest.fixture
def tablet(take_tablet, person):
    """A tablet on which the person has signed in."""
    taken = take_tablet()
    taken.sign_in(person)
    taken.at("home")
    return taken


def test_an_officer_enrols_a_tablet_with_the_code_typed_on_the_pad(person, open_page):
    tablet = Tablet(open_page(**LANDSCAPE, has_touch=True))
    tablet.page.goto("/tablet/")
    tablet.at("enrol")

    tablet.type(invited(person).code)
    tablet.tap("send")

    tablet.at("number")
    tablet.sees(person.cell.code)


def test_a_code_in_the_address_is_taken_over_and_wiped_from_it(site, person, open_page):
    tablet = Tablet(open_page(**LANDSCAPE, has_touch=True))

    tablet.page.goto(f"/tablet/#code={invited(person).code}")
    tablet.at("enrol")
    tablet.tap("send")

    tablet.at("number")
    assert tablet.page.url == f"{site.url}/tablet/"


def test_a_wrong_code_is_refused_in_a_sentence(person, open_page):
    tablet = Tablet(open_page(**LANDSCAPE, has_touch=True))
    tablet.page.goto("/tablet/")
    tablet.at("enrol")

    tablet.type("22222222")
    tablet.tap("send")

    tablet.page.get_by_role("alert").wait_for()
    assert tablet.screen == "enrol"
    assert '"token"' not in tablet.kept()


def test_an_order_goes_from_the_sign_in_to_the_desk(person, take_tablet, open_page):
    tablet = take_tablet()

    tablet.sign_in(person)
    tablet.at("home")
    tablet.order(soap=2, noodles=3)
    tablet.sent()

    [order] = orders_of(person)
    assert order.state == "placed"
    assert tablet.page.locator(".outcome .number strong").inner_text() == order.number
    assert {sku: line.ordered for sku, line in shop.lines(order).items()} == {
        "soap": 2,
        "noodles": 3,
    }
    assert shop.money(person) == (500_00, 18_00)
    desk = open_page(**LANDSCAPE)
    _sign_in(desk, situations.officer(person.facility))
    desk.goto("/desk/orders/")
    desk.get_by_text(order.number).first.wait_for()


def _sign_in(page, officer):
    page.goto("/in/")
    page.locator("[name=login]").fill(officer.login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").first.click()
    page.wait_for_url(lambda url: not url.endswith("/in/"))


def test_the_person_finds_the_order_among_theirs_and_takes_it_back(person, tablet):
    tablet.order(soap=1)
    tablet.sent()
    [order] = orders_of(person)

    tablet.say("我的订单")
    tablet.sees(order.number)
    tablet.tap(f"cancel-{order.public_id}")
    tablet.page.get_by_role("dialog").get_by_role("button", name="取消订单").tap()

    tablet.sees("已取消")
    assert [one.state for one in orders_of(person)] == ["cancelled"]
    assert shop.money(person) == (500_00, 0)


def test_a_wrong_pin_is_told_in_a_sentence_and_the_digits_are_gone(person, take_tablet):
    tablet = take_tablet()

    tablet.sign_in(person, pin="9753")

    assert tablet.page.get_by_role("alert").inner_text().strip() == "编号或密码不对。"
    assert tablet.page.locator(".secret .full").count() == 0
    assert tablet.screen == "pin"


def test_the_balance_shows_after_a_tap_and_hides_after_ten_seconds(person, take_tablet):
    tablet = take_tablet()
    tablet.page.clock.install()
    tablet.page.reload()
    tablet.sign_in(person)
    tablet.at("home")
    tablet.tap("money")

    assert "500.00" not in tablet.page.content()
    tablet.tap("reveal")
    tablet.sees("¥500.00")
    tablet.page.clock.fast_forward(9_000)
    assert "500.00" in tablet.page.content()
    tablet.page.clock.fast_forward(2_000)

    tablet.page.get_by_text("按一下看").wait_for()
    assert "500.00" not in tablet.page.content()


def test_a_double_tap_makes_one_order(person, tablet):
    tablet.choose(noodles=2)
    tablet.tap("check")

    tablet.page.evaluate(
        """() => {
          const button = document.querySelector("[data-key=yes]");
          button.click();
          button.click();
          document.querySelector("[data-key=yes]")?.click();
        }"""
    )
    tablet.sent()

    assert len(orders_of(person)) == 1
    assert shop.money(person) == (500_00, 6_00)


def test_without_network_the_order_is_kept_and_sent_once_when_it_is_back(site, person, tablet):
    with tablet.cut_off():
        tablet.order(noodles=2)
        tablet.sees("现在没有网络")
        assert orders_of(person) == []
        assert '"state":"waiting"' in tablet.kept()

    tablet.sent()

    [order] = orders_of(person)
    assert tablet.page.locator(".outcome .number strong").inner_text() == order.number
    assert '"waiting"' not in tablet.kept()
    assert shop.money(person) == (500_00, 6_00)


def test_an_answer_that_was_lost_does_not_make_a_second_order(person, take_tablet):
    # Without the service worker, so that the test sees every request of the page itself.
    tablet = take_tablet(service_workers="block")
    tablet.sign_in(person)
    tablet.at("home")
    bodies = []

    def lose_the_first_answer(route):
        if route.request.method != "POST":
            return route.continue_()
        bodies.append(route.request.post_data)
        if len(bodies) > 1:
            return route.continue_()
        route.fetch()
        return route.abort()

    tablet.page.route("**/api/tablet/orders", lose_the_first_answer)
    tablet.order(noodles=2)
    tablet.sent()

    assert bodies == [bodies[0], bodies[0]]
    [order] = orders_of(person)
    assert tablet.page.locator(".outcome .number strong").inner_text() == order.number
    assert shop.money(person) == (500_00, 6_00)


def test_a_kept_order_survives_a_restart_and_waits_for_its_owner(site, person, tablet):
    other = situations.held_person(person.facility, name="李红")
    situations.funded(other, 500_00)
    with tablet.cut_off():
        tablet.order(noodles=2)
        tablet.sees("现在没有网络")
        tablet.page.reload()
        tablet.at("number")

    tablet.sign_in(other)
    tablet.at("home")
    tablet.order(soap=1)
    tablet.sent()
    assert [len(orders_of(held)) for held in (person, other)] == [0, 1]

    tablet.tap("leave")
    tablet.sign_in(person)
    tablet.at("home")
    [order] = site.wait_for(lambda: orders_of(person))
    assert {sku: line.ordered for sku, line in shop.lines(order).items()} == {"noodles": 2}
    assert shop.money(person) == (500_00, 6_00)


def test_a_risen_price_is_shown_beside_the_old_one_before_anything_is_held(person, tablet, dearer):
    tablet.choose(noodles=2, soap=1)
    dearer("noodles", 3_50)
    tablet.tap("check")
    tablet.tap("yes")
    tablet.at("question")

    change = tablet.page.locator(".change")
    assert [change.locator(".old s").inner_text(), change.locator(".new strong").inner_text()] == [
        "¥3.00",
        "¥3.50",
    ]
    assert orders_of(person) == []
    assert shop.money(person) == (500_00, 0)

    tablet.say("新价钱也买")
    tablet.sent()
    assert shop.money(person) == (500_00, 11_50)


def test_the_person_may_leave_out_what_became_dearer(person, tablet, dearer):
    tablet.choose(noodles=2, soap=1)
    dearer("noodles", 3_50)
    tablet.tap("check")
    tablet.tap("yes")
    tablet.at("question")

    tablet.say("不要这个，买其余的")
    tablet.sent()

    [order] = orders_of(person)
    assert list(shop.lines(order)) == ["soap"]
    assert shop.money(person) == (500_00, 4_50)


def test_the_person_may_give_up_the_whole_order(person, tablet, dearer):
    tablet.choose(noodles=2)
    dearer("noodles", 3_50)
    tablet.tap("check")
    tablet.tap("yes")
    tablet.at("question")

    tablet.say("都不要了")
    tablet.at("home")

    assert orders_of(person) == []
    assert '"question"' not in tablet.kept()


def test_a_refused_order_says_why_and_goes_back_into_the_basket(open_shop, open_page):
    poor = situations.funded(situations.held_person(open_shop[0]), 5_00)
    tablet = Tablet(open_page(**LANDSCAPE, has_touch=True))
    tablet.enrol(situations.enrolled_tablet(poor)[1], poor.cell.code)
    tablet.sign_in(poor)
    tablet.at("home")

    tablet.order(noodles=2)

    tablet.sees("没有下单")
    assert tablet.page.locator(".outcome.bad .lead").inner_text() != ""
    tablet.say("回篮子修改")
    tablet.at("basket")
    assert tablet.page.locator(".quantity").all_inner_texts() == ["2"]
    assert orders_of(poor) == []
    assert '"refused"' not in tablet.kept()


def test_over_the_limit_nothing_more_can_be_put_in_and_the_word_says_so(person, tablet):
    tablet.tap("categories")
    tablet.tap("daily")
    for _ in range(3):
        tablet.tap("more-soap")

    more = tablet.page.locator("[data-key=more-soap]")

    assert more.get_attribute("aria-disabled") == "true"
    tablet.sees("一次最多 3 件")
    more.tap(force=True)
    assert tablet.page.locator(".quantity").first.inner_text() == "3"


def test_left_alone_amounts_hide_then_it_asks_then_it_signs_out(person, take_tablet):
    tablet = take_tablet()
    tablet.page.clock.install()
    tablet.page.reload()
    tablet.sign_in(person)
    tablet.at("home")
    tablet.tap("money")
    tablet.tap("reveal")
    tablet.sees("¥500.00")

    tablet.page.clock.run_for(91_000)
    assert "500.00" not in tablet.page.content()
    assert tablet.page.locator(".limit").first.is_hidden()
    tablet.page.clock.run_for(60_000)
    tablet.page.get_by_role("dialog").wait_for()
    tablet.say("我还在")
    tablet.page.clock.run_for(2_000)
    assert (tablet.screen, tablet.page.get_by_role("dialog").count()) == ("money", 0)

    tablet.page.clock.run_for(181_000)
    tablet.at("number")
    assert tablet.page.get_by_role("dialog").count() == 0


def test_signing_out_leaves_nothing_of_the_person_on_the_tablet(person, tablet):
    tablet.order(noodles=2)
    tablet.sent()
    tablet.say("我的订单")
    [order] = orders_of(person)
    tablet.sees(order.number)

    tablet.tap("leave")
    tablet.at("number")

    left = tablet.page.content() + tablet.kept()
    told = [person.number, person.detainee.name, order.number, "¥", str(person.public_id)]
    assert [one for one in told if one in left] == []
    assert tablet.page.evaluate("history.state") is None


def test_the_next_person_finds_no_basket_and_no_name_of_the_one_before(person, tablet):
    other = situations.held_person(person.facility, name="李红")
    tablet.choose(noodles=2)

    tablet.tap("leave")
    tablet.sign_in(other)
    tablet.at("home")

    assert person.detainee.name[0] not in tablet.page.locator("h1").inner_text()
    tablet.tap("categories")
    assert tablet.page.locator(".foot .amount").inner_text() == "¥0.00"


def test_signing_out_ends_the_session_on_the_server_too(site, person, tablet):
    tablet.tap("leave")
    tablet.at("number")

    sessions = tablet.device.sessions
    site.wait_for(lambda: not sessions.filter(ended_at=None).exists())


def test_a_revoked_tablet_says_so_and_keeps_what_it_has_not_sent(site, person, tablet):
    with tablet.cut_off():
        tablet.order(noodles=2)
        tablet.sees("现在没有网络")
        guard = situations.officer(person.facility)
        devices.revoke(tablet.device, by=guard, at=timezone.now())

    tablet.at("shut")

    assert '"state":"waiting"' in tablet.kept()
    assert orders_of(person) == []


def test_the_tablet_opens_without_network(person, tablet):
    tablet.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    tablet.page.reload()
    tablet.at("number")

    with tablet.cut_off():
        tablet.page.reload()
        tablet.at("number")
        tablet.sees("没有网络")


VOICE = """() => {
  window.said = [];
  const voices = [
    { lang: "zh-CN", localService: false, name: "far away" },
    { lang: "zh-CN", localService: LOCAL, name: "here" },
  ];
  Object.defineProperty(window, "speechSynthesis", { value: {
    getVoices: () => voices, addEventListener() {}, cancel() {},
    speak(one) { window.said.push(one.text); },
  }});
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
}"""


def test_a_voice_of_the_tablet_reads_the_screen_but_never_the_balance(person, take_tablet):
    tablet = take_tablet()
    # The headless browser has no voice of its own.
    tablet.page.add_init_script(f"({VOICE.replace('LOCAL', 'true')})()")
    tablet.page.reload()
    tablet.sign_in(person)
    tablet.at("home")
    tablet.tap("money")
    tablet.tap("reveal")
    tablet.sees("¥500.00")

    tablet.tap("listen")

    [said] = tablet.page.evaluate("window.said")
    assert said.startswith("我的钱")
    assert "500" not in said


def test_a_voice_that_lives_elsewhere_is_not_used(person, take_tablet):
    tablet = take_tablet()
    tablet.page.add_init_script(f"({VOICE.replace('LOCAL', 'false')})()")
    tablet.page.reload()
    tablet.at("number")

    assert tablet.page.locator("[data-key=listen]").count() == 0


def test_a_page_in_place_of_an_answer_counts_as_no_network(person, take_tablet):
    tablet = take_tablet(service_workers="block")
    tablet.sign_in(person)
    tablet.at("home")
    tablet.page.route("**/api/tablet/orders", lambda route: route.fulfill(body="<p>Welcome</p>"))

    tablet.order(noodles=2)

    tablet.sees("现在没有网络")
    assert '"state":"waiting"' in tablet.kept()
    tablet.page.unroute("**/api/tablet/orders")
    tablet.sent()
    assert len(orders_of(person)) == 1


def test_an_order_that_needs_an_answer_is_announced_at_the_next_sign_in(person, tablet, dearer):
    with tablet.cut_off():
        tablet.order(noodles=2)
        tablet.sees("现在没有网络")
        tablet.page.reload()
        tablet.at("number")
    dearer("noodles", 3_50)

    tablet.sign_in(person)
    tablet.at("home")
    tablet.say("去回答")
    tablet.at("orders")
    tablet.say("去回答")

    tablet.at("question")
    assert orders_of(person) == []


def test_english_is_one_tap_away(person, tablet):
    tablet.tap("language")

    tablet.sees("My orders")
    assert tablet.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_every_screen_fits_has_large_targets_and_no_barrier(
    person, take_tablet, dearer, width, language
):
    tablet = take_tablet(width=width, height=800)
    if language == "en":
        tablet.tap("language")
    problems = []

    def look(name):
        page = tablet.page
        problems.extend(f"{name}: {one}" for one in barriers(page))
        if sideways(page):
            problems.append(f"{name}: wider than the screen by {sideways(page)}")
        problems.extend(f"{name}: small target {one}" for one in page.evaluate(SMALL))
        if page.locator("input, textarea, select").count():
            problems.append(f"{name}: a field to type in")

    look("number")
    tablet.type(person.number)
    tablet.tap("next")
    look("pin")
    tablet.type("9753")
    tablet.tap("send")
    tablet.page.get_by_role("alert").wait_for()
    look("wrong pin")
    tablet.type(situations.PIN)
    tablet.tap("send")
    tablet.at("home")
    look("home")
    tablet.tap("categories")
    look("categories")
    tablet.tap("daily")
    look("shelf")
    for _ in range(3):
        tablet.tap("more-soap")
    look("shelf, chosen")
    tablet.tap("look-soap")
    look("item")
    tablet.tap("basket")
    look("basket")
    tablet.tap("reveal")
    tablet.sees("¥486.50")
    look("basket, uncovered")
    dearer("soap", 5_50)
    tablet.tap("check")
    look("confirm")
    tablet.tap("yes")
    tablet.at("question")
    look("question")
    tablet.page.locator(".choices .button").first.tap()
    tablet.page.locator(".outcome.good").wait_for()
    look("sent")
    tablet.page.locator(".choices .button").first.tap()
    tablet.page.locator(".order").wait_for()
    look("orders")
    tablet.page.locator("[data-key^=cancel-]").tap()
    look("cancel?")
    tablet.page.locator("dialog .second").tap()
    tablet.tap("help")
    look("help")
    tablet.page.locator(".choices .button").tap()
    look("status")
    with tablet.cut_off():
        tablet.tap("back")
        tablet.tap("back")
        look("without network")

    assert problems == []


# Buttons that a thumb in a hurry would miss.
SMALL = """() => [...document.querySelectorAll("button, a[href]")]
  .map((one) => [one.textContent, one.getBoundingClientRect()])
  .filter(([, {width, height}]) => width && (width < 60 || height < 60))
  .map(([text, {width, height}]) => `${text} ${width} × ${height}`)"""
