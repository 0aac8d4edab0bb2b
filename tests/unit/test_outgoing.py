"""Requests that are put together without httpx say what httpx would have made of the same words."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outgoing import Requests

ROOT = "http://portal.example:8080/api/v1"
COMMON = {"User-Agent": "lienthong", "Accept-Encoding": "gzip", "groupId": "35166"}
WAITS = {"connect": 1.0, "read": 2.0, "write": 2.0, "pool": 1.0}
OURS = Requests(ROOT, COMMON)
THEIRS = httpx.Client(base_url=ROOT, headers=COMMON, trust_env=False)

paths = st.one_of(
    st.text(st.sampled_from("/abcÁ09.-_~%2F3f?=&#+ :@'\"\\\n"), max_size=24),
    st.text(max_size=12),
    st.lists(st.sampled_from(["dossiers", "a-b", "%2F", "%C3%A1", "..", ".", ""]), max_size=5).map("/".join),
)
addresses = st.one_of(
    paths, paths.map(lambda path: ROOT + path), paths.map(lambda path: f"{ROOT}/{path}"), paths.map(lambda p: f"/{p}")
)
words = st.text(max_size=12)
bodies = st.one_of(
    st.fixed_dictionaries({}),
    st.fixed_dictionaries({"content": st.binary(max_size=20)}),
    st.fixed_dictionaries({"data": st.dictionaries(words, words, max_size=4)}),
    st.fixed_dictionaries({"data": st.dictionaries(words, st.lists(words, max_size=3), max_size=3)}),
    st.fixed_dictionaries({"params": st.dictionaries(words, words, max_size=3)}),
)
names = st.sampled_from(["Authorization", "accept", "GROUPID", "Content-Type", "User-Agent", "X-Ngày"])
fields = st.dictionaries(names, st.text(st.characters(min_codepoint=33, max_codepoint=300), max_size=8), max_size=3)


def said(request: httpcore.Request) -> tuple[Any, ...]:
    body = b"".join(request.stream)  # type: ignore[arg-type]  # of ours and of httpx alike
    url = request.url
    head = sorted((name.lower(), value) for name, value in request.headers)
    return request.method, url.scheme, url.host, url.port, url.target, head, body


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "post"]), addresses, fields, bodies)
@example("GET", ROOT, {}, {})
@example("POST", f"{ROOT}/dossiers", {}, {"data": {"hoTen": "Nguyễn Văn Thử & Con", "so": "1+1"}})
@example("POST", "/dossiers", {"content-type": "text/plain"}, {"data": {"a": "b"}})
@example("PUT", "/dossiers", {}, {})
@example("GET", f"{ROOT}/../admin", {}, {})
@example("GET", f"{ROOT}x/dossiers", {}, {})
@example("GET", "/dossiers/a%2fb?x=%c3", {}, {})
@example("GET", "//elsewhere.example/x", {}, {})
def test_both_say_the_same(method: str, address: str, headers: dict[str, str], body: dict[str, Any]) -> None:
    try:
        theirs = THEIRS.build_request(method, address, headers=headers, **body)
    except (httpx.InvalidURL, UnicodeEncodeError, ValueError, TypeError) as error:
        with pytest.raises(type(error)):
            OURS.made(method, address, WAITS, headers=headers, **body)
        return
    url = theirs.url
    wanted = httpcore.Request(
        theirs.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=theirs.headers.raw,
        content=theirs.read(),
    )
    made, whole = OURS.made(method, address, WAITS, headers=headers, **body)
    assert said(made) == said(wanted)
    assert whole == theirs.content
    assert made.extensions == {"timeout": WAITS}


@pytest.mark.parametrize("root", [f"{ROOT}/", f"{ROOT}//", "http://portal.example", "https://portal.example:443/a"])
@pytest.mark.parametrize("path", ["/x", "x", "", "/x?a=b"])
def test_whatever_the_base_looks_like_and_whoever_names_the_media_type(root: str, path: str) -> None:
    common = COMMON | {"Content-Type": "text/plain"}
    theirs = httpx.Client(base_url=root, headers=common, trust_env=False).build_request("POST", path, data={"a": "b"})
    made, whole = Requests(root, common).made("POST", path, WAITS, data={"a": "b"})
    assert made.url.target == theirs.url.raw_path
    assert sorted((n.lower(), v) for n, v in made.headers) == sorted((n.lower(), v) for n, v in theirs.headers.raw)
    assert whole == theirs.content


@pytest.mark.parametrize(
    "address", [f"{ROOT}/dossiers/0a1b-2c?keyword=%C4%90%E1%BB%95i", "/dossiers/a/logs", "/x.json"]
)
def test_what_needs_no_mending_is_not_mended(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the comparison above would say nothing."""
    ours = Requests(ROOT, COMMON)
    monkeypatch.setattr(ours, "_mended", None)
    ours.made("POST", address, WAITS, headers={"Authorization": "Basic x"}, data={"tên": "Thử"})
    ours.made("GET", address, WAITS)


def test_a_body_that_is_made_while_it_is_sent_is_not_whole() -> None:
    _, whole = OURS.made("POST", "/files", WAITS, data={"a": "b"}, files={"file": ("a.pdf", b"%PDF")})
    assert whole is None
