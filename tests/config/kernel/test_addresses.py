"""Whose an address is."""

import pytest

from config.kernel.addresses import site_of


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::"),
        ("2001:DB8:0:1::1", "2001:db8:0:1::"),
        ("2001:db8:0:2::1", "2001:db8:0:2::"),
        ("::1", "::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_an_address_of_ipv6_is_its_network(address, site):
    assert site_of(address) == site


@pytest.mark.parametrize("word", ["", "unix:", "not an address", "192.0.2.1:80", "192.0.2.0/24"])
def test_what_is_no_address_stays_as_it_is(word):
    assert site_of(word) == word
