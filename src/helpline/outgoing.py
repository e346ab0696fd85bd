"""The one way by which this program asks other servers over HTTP: a client that reaches the hosts
it was made for and no others, and no address inside our own network.

Used by bots, engine and web. What somebody else sends (an attachment's address, a redirect) can so
never make us ask a machine that only we can reach. A server that a setting names may be anywhere: a
fake on loopback, or a proxy of the house.
"""

import errno
import ipaddress
import socket
from collections.abc import Collection, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

PORTS: Final = {"http": 80, "https": 443}
INSIDE_OTHERS: Final = ipaddress.ip_network("64:ff9b::/96")
"""An address of the old kind inside one of the new."""


def client(
    hosts: Collection[str], given: Iterable[str] = (), *, timeout: aiohttp.ClientTimeout
) -> aiohttp.ClientSession:
    """A client for these hosts (".example.org": whatever ends so), and for the addresses that
    settings name (`given`: whole URLs; an empty one is none). Anything else fails as if nobody
    answered there. Redirects are followed by nobody: say `allow_redirects=False` and judge."""
    guard = _Guard(hosts, given)
    connector = aiohttp.TCPConnector(resolver=guard, socket_factory=guard.opened)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the public network."""
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in INSIDE_OTHERS:
            inner = ipaddress.ip_address(ip.packed[-4:])
        if inner:
            return is_outside(str(inner))
    return bool(ip.is_global and not ip.is_multicast)


class _Guard(AbstractResolver):
    """Looks at every name before it is asked for and at every address before it is called, so that
    a name which points elsewhere the second time helps nobody."""

    def __init__(self, hosts: Collection[str], given: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        self._given = {_place(url) for url in given if url}
        self._known = {place for place in self._given if _is_address(place[0])}
        self._resolver: ThreadedResolver | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        is_given = (host, port) in self._given
        if not is_given and not self._is_listed(host):
            raise OSError(errno.EACCES, "not a host of the list")
        self._resolver = self._resolver or ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        self._known |= {(one["host"], port) for one in found if is_given or is_outside(one["host"])}
        return found

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()

    def opened(self, where: Any) -> socket.socket:
        """A socket for an address that may be called; OSError for any other."""
        family, kind, protocol, _, place = where
        if tuple(place[:2]) not in self._known:
            raise OSError(errno.EACCES, "neither outside nor named by a setting")
        return socket.socket(family, kind, protocol)

    def _is_listed(self, host: str) -> bool:
        return host in self._hosts or any(
            one.startswith(".") and host.endswith(one) for one in self._hosts
        )


def _place(url: str) -> tuple[str, int]:
    there = urlsplit(url)
    return there.hostname or "", there.port or PORTS.get(there.scheme, 0)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
