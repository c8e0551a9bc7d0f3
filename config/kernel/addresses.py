"""Whose an address is, for limits: of IPv6, a household or a server has a whole /64."""

import ipaddress

IPV6_SITE = 64


def site_of(address: str) -> str:
    """Return the address that limits count by; what is no address is returned as it is.

    An IPv6 address stands for its /64, since single addresses in it cost nothing.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, IPV6_SITE), strict=False).network_address)
    return address
