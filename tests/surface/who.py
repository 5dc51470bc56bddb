"""Who may see what: one line for every address. A new address without a line fails the tests.

PUBLIC: everybody. SIGNED_IN: everybody who has signed in. Otherwise the roles; everyone else is
answered 403 or 404, never data. API addresses name what opens them: a DEVICE's token or a TOKEN.
"""

PUBLIC = frozenset({"public"})
SIGNED_IN = frozenset({"relative", "lawyer", "guard", "finance", "auditor", "administrator"})
RELATIVE = frozenset({"relative"})
GUARD = frozenset({"guard"})
DESK = frozenset({"guard", "administrator"})
FINANCE = frozenset({"finance"})
BOOKS = frozenset({"finance", "auditor"})
AUDITOR = frozenset({"auditor"})
ADMINISTRATOR = frozenset({"administrator"})
OFFICERS = frozenset({"guard", "finance", "auditor", "administrator"})
LAWYER = frozenset({"lawyer"})
READERS = frozenset({"administrator", "auditor"})
DEVICE = frozenset({"device"})
TOKEN = frozenset({"token"})

WHO = {
    # joined pages
    "home": PUBLIC,
    "start": SIGNED_IN,
    "help": PUBLIC,
    "set_language": PUBLIC,
    "set_text_size": PUBLIC,
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    # people
    "sign_in": PUBLIC,
    "sign_out": PUBLIC,
    "register": PUBLIC,
    "my_people": RELATIVE,
    "ask_link": RELATIVE,
    "my_person": RELATIVE,
    # desk
    "choose_facility": SIGNED_IN,
    "desk_relatives": DESK,
    "desk_review": DESK,
    "desk_tablets": DESK,
    "desk_invite": DESK,
    "desk_tablet_code": DESK,
    "desk_tablet_revoke": DESK,
    "people": DESK,
    "admit": DESK,
    "person": DESK,
    "new_pin": DESK,
    "choose_visible": DESK,
    "move_person": DESK,
    "close_custody": ADMINISTRATOR,
    # orders, from the tablet or from paper to the signature
    "orders": GUARD,
    "paper_order": GUARD,
    "order": OFFICERS,
    "approve_order": GUARD,
    "approve_orders": GUARD,
    "reject_order": GUARD,
    "cancel_order": GUARD,
    "picking": GUARD,
    "pick_order": GUARD,
    "hand_overs": GUARD,
    "hand_over": GUARD,
    "order_receipt": OFFICERS,
    "products": frozenset({"finance", "auditor", "administrator"}),
    "product": frozenset({"finance", "administrator"}),
    "offer_product": ADMINISTRATOR,
    "decide_price": frozenset({"finance", "administrator"}),
    # the family's money
    "my_deposits": RELATIVE,
    "deposit_result": RELATIVE,
    "deposit_state": RELATIVE,
    "deposit_cancelled": RELATIVE,
    "give_up_deposit": RELATIVE,
    "deposit_receipt": RELATIVE,
    "send_money": RELATIVE,
    "check_payment": RELATIVE,
    "pay": RELATIVE,
    "money_history": RELATIVE,
    "verify": PUBLIC,
    "verify_number": PUBLIC,
    # office
    "books": BOOKS,
    "finance_today": BOOKS,
    "suspense": BOOKS,
    "desk_deposits": BOOKS,
    "desk_deposit": BOOKS,
    "take_deposit": FINANCE,
    "accept_deposit": FINANCE,
    "refuse_deposit": FINANCE,
    "take_refund": FINANCE,
    "refund_again": FINANCE,
    "trail": BOOKS,
    "trail_journal": BOOKS,
    "trail_document": BOOKS,
    "trail_person": BOOKS,
    # the provider: signed by it, not signed in
    "gateway_webhook": PUBLIC,
    # the simulator, which is not installed where money is real
    "gateway_stub:checkout": PUBLIC,
    "gateway_stub:console": PUBLIC,
    "gateway_stub:totals": PUBLIC,
    "gateway_stub:letters": PUBLIC,
    "gateway_stub:fault": PUBLIC,
    "gateway_stub:fail_refund": PUBLIC,
    "gateway_stub:act": PUBLIC,
    # the tablet's page holds nothing; its data comes by token
    "tablet": PUBLIC,
    "tablet_manifest": PUBLIC,
    "tablet_worker": PUBLIC,
    # JSON for the tablet
    "api:enrol": PUBLIC,
    "api:sign_in": DEVICE,
    "api:sign_out": DEVICE,
    "api:shelf": DEVICE,
    "api:me": DEVICE,
    "api:place": DEVICE,
    "api:list_orders": DEVICE,
    "api:cancel": DEVICE,
    # JSON for programs
    "api:api_deposits": TOKEN,
    "api:api_deposit": TOKEN,
    "api:api_statement": TOKEN,
    # has no operation, answers 404
    "api:api-root": PUBLIC,
    # lawyer visits
    "boards": PUBLIC,
    "board": PUBLIC,
    "board_data": PUBLIC,
    "lawyer_register": PUBLIC,
    "lawyer_home": LAWYER,
    "lawyer_papers": LAWYER,
    "add_paper": LAWYER,
    "paper_file": LAWYER,
    "lawyer_clients": LAWYER,
    "add_client": LAWYER,
    "ask_visit": LAWYER,
    "lawyer_request": LAWYER,
    "wait_for_visit": LAWYER,
    "use_green": LAWYER,
    "withdraw_wish": LAWYER,
    "lawyer_check": LAWYER,
    "lawyer_visit": LAWYER,
    "visit_calendar": LAWYER,
    "cancel_visit": LAWYER,
    "rate_visit": LAWYER,
    "visits_today": GUARD,
    "scan_pass": GUARD,
    "visit_sheet": GUARD,
    "call_ticket": GUARD,
    "take_ticket": GUARD,
    "ticket_left": GUARD,
    "desk_visit": GUARD,
    "act_on_visit": GUARD,
    "restrict_visits": DESK,
    "desk_lawyers": DESK,
    "desk_cases": DESK,
    "desk_paper": DESK,
    "desk_file": DESK,
    "desk_mandate": DESK,
    "desk_permission": DESK,
    "desk_alert": DESK,
    "desk_request": DESK,
    "propose": DESK,
    "desk_displacement": DESK,
    "visit_rooms": ADMINISTRATOR,
    "close_room": ADMINISTRATOR,
    "visit_hours": ADMINISTRATOR,
    "visit_escorts": ADMINISTRATOR,
    "visit_figures": READERS,
    "visit_figures_csv": READERS,
    "api:visits_day": TOKEN,
    "api:visits_bookings": TOKEN,
    "api:visits_scan": TOKEN,
    "api:visits_figures": TOKEN,
}
