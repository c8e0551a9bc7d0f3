"""The address that limits count by: a household or server has a whole /64 of IPv6."""

import ipaddress

IPV6_SITE = 64


def site_of(address: str) -> str:
    """Return the address that limits count by; anything else is returned unchanged.

    For an IPv6 address it is the /64, since a client can use any address in it.
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
