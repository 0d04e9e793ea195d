"""What JSON Schema's `format` names mean when they are asserted: one short function per name (2020-12 Validation, 7.3).

Nothing but the standard library and `regex` is needed, and `idna` for host names (`json_schema.hostnames`).
"""

from __future__ import annotations

import calendar
import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from guards.contracts.json_schema.hostnames import is_hostname, is_idn_hostname
from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern

__all__ = ["FORMATS", "WORDS"]

# [0-9] throughout and fullmatch: \d takes digits of every script, $ a trailing newline.
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME: Final = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))", re.ASCII
)


def _date(text: str) -> bool:
    """RFC 3339, full-date."""
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = map(int, found.groups())
    # The calendar repeats every 400 years, and the module knows no year 0.
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year or 2000, month)[1]


def _time(text: str) -> bool:
    """RFC 3339, full-time; a leap second only where it can be one: at 23:59:60 UTC."""
    found = _TIME.fullmatch(text)
    if not found:
        return False
    hour, minute, second = (int(part) for part in found.groups()[:3])
    sign, off_hour, off_minute = found[4], int(found[5] or 0), int(found[6] or 0)
    if hour > 23 or minute > 59 or second > 60 or off_hour > 23 or off_minute > 59:
        return False
    offset = (off_hour * 60 + off_minute) * (-1 if sign == "-" else 1)
    return second < 60 or (hour * 60 + minute - offset) % 1440 == 1439


def _date_time(text: str) -> bool:
    """RFC 3339, date-time."""
    return text[10:11] in {"T", "t"} and _date(text[:10]) and _time(text[11:])


_CLOCK: Final = r"T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DURATION: Final = re.compile(
    rf"P(?:[0-9]+W|(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)(?:{_CLOCK})?|{_CLOCK})"
)


def _duration(text: str) -> bool:
    """RFC 3339, appendix A."""
    return _DURATION.fullmatch(text) is not None


def _ipv4(text: str) -> bool:
    """RFC 2673, section 3.2: a dotted quad."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _ipv6(text: str) -> bool:
    """RFC 4291, section 2.2; a zone is no part of the address."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_QUOTED: Final = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_DOMAIN: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(
    rf"(?P<local>{_ATEXT}+(?:\.{_ATEXT}+)*|{_QUOTED})@(?:(?P<domain>{_DOMAIN}(?:\.{_DOMAIN})*)|\[(?P<literal>[^\]]*)\])"
)
_BEYOND: Final = "\x80-\U0010ffff"
_IDN_EMAIL: Final = re.compile(
    _EMAIL.pattern.replace(_ATEXT, _ATEXT.replace("-]", f"{_BEYOND}-]"))
    .replace(r" !#-\[\]-~", rf" !#-\[\]-~{_BEYOND}")
    .replace(
        "A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9]",
        f"A-Za-z0-9{_BEYOND}](?:[A-Za-z0-9{_BEYOND}-]{{0,61}}[A-Za-z0-9{_BEYOND}]",
    )
)


def _email(text: str) -> bool:
    """RFC 5321, Mailbox (section 4.1.2)."""
    return _mailbox(_EMAIL.fullmatch(text))


def _idn_email(text: str) -> bool:
    """RFC 6531, Mailbox (section 3.3): RFC 5321 with any character beyond ASCII."""
    return _mailbox(_IDN_EMAIL.fullmatch(text))


def _mailbox(found: re.Match[str] | None) -> bool:
    if not found or len(found["local"].encode("utf-8", "surrogatepass")) > 64 or len(found["domain"] or "") > 253:
        return False
    literal = found["literal"]
    if literal is None:
        return True
    tag, colon, address = literal.partition(":")
    return _ipv6(address) if colon and tag.lower() == "ipv6" else _ipv4(literal)


# RFC 3987, section 2.2.
_UCSCHAR: Final = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + "".join(
    f"{chr(plane * 0x10000 + (0x1000 if plane == 14 else 0))}-{chr(plane * 0x10000 + 0xFFFD)}" for plane in range(1, 15)
)
_IPRIVATE: Final = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"


def _address(more: str, private: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """RFC 3986, appendix A (with RFC 3987's characters added for IRIs): the absolute form, and the reference."""
    encoded = "%[0-9A-Fa-f]{2}"
    plain = rf"A-Za-z0-9._~!$&'()*+,;={more}\-"
    pchar = rf"(?:[{plain}:@]|{encoded})"
    host = rf"(?:\[(?P<ip>[^\]]*)\]|(?:[{plain}]|{encoded})*)"
    authority = rf"//(?:(?:[{plain}:]|{encoded})*@)?{host}(?::[0-9]*)?(?:/{pchar}*)*"
    absolute_path = rf"/(?:{pchar}+(?:/{pchar}*)*)?"
    end = rf"(?:\?(?:[{plain}:@/?{private}]|{encoded})*)?(?:#(?:[{plain}:@/?]|{encoded})*)?"
    rootless = rf"{pchar}+(?:/{pchar}*)*"
    relative = rf"(?:[{plain}@]|{encoded})+(?:/{pchar}*)*"
    scheme = "[A-Za-z][A-Za-z0-9+.-]*:"
    absolute = rf"{scheme}(?:{authority}|{absolute_path}|{rootless}|){end}"
    return re.compile(absolute), re.compile(rf"(?:{authority}|{absolute_path}|{relative}|){end}")


_URI, _RELATIVE_URI = _address("", "")
_IRI, _RELATIVE_IRI = _address(_UCSCHAR, _IPRIVATE)
_FUTURE: Final = re.compile(r"[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+")


def _is_address(text: str, *patterns: re.Pattern[str]) -> bool:
    for pattern in patterns:
        found = pattern.fullmatch(text)
        if found:
            ip = found["ip"]
            return ip is None or _ipv6(ip) or _FUTURE.fullmatch(ip) is not None
    return False


def _uri(text: str) -> bool:
    """RFC 3986, URI."""
    return _is_address(text, _URI)


def _uri_reference(text: str) -> bool:
    """RFC 3986, URI-reference."""
    return _is_address(text, _URI, _RELATIVE_URI)


def _iri(text: str) -> bool:
    """RFC 3987, IRI."""
    return _is_address(text, _IRI)


def _iri_reference(text: str) -> bool:
    """RFC 3987, IRI-reference."""
    return _is_address(text, _IRI, _RELATIVE_IRI)


_VARNAME: Final = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*"
_VARSPEC: Final = rf"{_VARNAME}(?::[1-9][0-9]{{0,3}}|\*)?"
# The apostrophe is a literal by erratum 6937 of RFC 6570.
_URI_TEMPLATE: Final = re.compile(
    rf"(?:[!#$&-;=?-\[\]_a-z~{_UCSCHAR}{_IPRIVATE}]|%[0-9A-Fa-f]{{2}}|\{{[+#./;?&=,!@|]?{_VARSPEC}(?:,{_VARSPEC})*\}})*"
)


def _uri_template(text: str) -> bool:
    """RFC 6570, of any level."""
    return _URI_TEMPLATE.fullmatch(text) is not None


_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_RELATIVE_POINTER: Final = re.compile(rf"(?:0|[1-9][0-9]*)(?:#|{_POINTER.pattern})")


def _uuid(text: str) -> bool:
    """RFC 4122, section 3, of any version."""
    return _UUID.fullmatch(text) is not None


def _json_pointer(text: str) -> bool:
    """RFC 6901, section 3."""
    return _POINTER.fullmatch(text) is not None


def _relative_json_pointer(text: str) -> bool:
    """draft-bhutton-relative-json-pointer-00, section 3."""
    return _RELATIVE_POINTER.fullmatch(text) is not None


def _regex(text: str) -> bool:
    """ECMA-262, as far as the library takes it."""
    try:
        EcmaPattern(text)
    except ConfigError:
        return False
    return True


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "date-time": _date_time,
        "date": _date,
        "time": _time,
        "duration": _duration,
        "email": _email,
        "idn-email": _idn_email,
        "hostname": is_hostname,
        "idn-hostname": is_idn_hostname,
        "ipv4": _ipv4,
        "ipv6": _ipv6,
        "uri": _uri,
        "uri-reference": _uri_reference,
        "iri": _iri,
        "iri-reference": _iri_reference,
        "uuid": _uuid,
        "uri-template": _uri_template,
        "json-pointer": _json_pointer,
        "relative-json-pointer": _relative_json_pointer,
        "regex": _regex,
    }
)
"""Every format of the specification, each a function of a text. None raises."""

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "date-time": "a date and time, like 2024-05-31T14:30:00Z",
        "date": "a date, like 2024-05-31",
        "time": "a time, like 14:30:00Z",
        "duration": "a duration, like P3DT12H",
        "email": "an e-mail address",
        "idn-email": "an e-mail address",
        "hostname": "a host name",
        "idn-hostname": "a host name",
        "ipv4": "an IPv4 address",
        "ipv6": "an IPv6 address",
        "uri": "an absolute URI with its scheme",
        "uri-reference": "a URI or a relative reference",
        "iri": "an absolute IRI with its scheme",
        "iri-reference": "an IRI or a relative reference",
        "uuid": "a UUID",
        "uri-template": "a URI template (RFC 6570)",
        "json-pointer": "a JSON Pointer (RFC 6901)",
        "relative-json-pointer": "a relative JSON Pointer",
        "regex": "a regular expression (ECMA-262)",
    }
)
"""What a text of that format is, in words for a finding."""
