import pytest

from accounts.gateways import onward


@pytest.mark.parametrize(
    ("label", "url", "goes_to"),
    [
        ("our own page", "http://centre.example/money/1/", "/money/1/"),
        ("the provider's page", "https://checkout.stripe.com/c/pay/1", None),
        ("a host that begins like ours", "http://centre.example.net/money/1/", None),
        ("no address yet", "", None),
    ],
)
def test_onward_keeps_a_person_on_the_host_by_which_they_came(settings, label, url, goes_to):
    settings.PUBLIC_URL = "http://centre.example"

    assert onward(url) == (url if goes_to is None else goes_to)
