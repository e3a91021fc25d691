"""Whether anybody but the user of this machine may use the app."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from streamlit import config

from app.environment import read_only
from app.gate import LOOPBACK, allowed_hosts
from app.login import login_configured


def open_to_others() -> bool:
    """Whether the app is read-only, has a login, a name of its own, or listens to other machines or other pages."""
    origins = (urlsplit(origin).hostname for origin in config.get_option("server.corsAllowedOrigins"))
    named = any(host not in LOOPBACK for host in (*allowed_hosts(), *origins))
    return read_only() or login_configured() or named or not _is_near(config.get_option("server.address") or "")


def _is_near(address: str) -> bool:
    """Whether a server that listens here is reached from this machine alone, as the gate sees to where none is set."""
    if address in ("", "localhost"):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
