"""Reading the Via header."""

from hypothesis import given
from hypothesis import strategies as st

from api.middleware.via import Entry, parse_via

names = st.from_regex(rb"[a-z0-9.-]{1,9}(:[0-9]{1,4})?", fullmatch=True)
protocols = st.sampled_from([b"1.0", b"1.1", b"2", b"HTTP/3", b"a/b"])
words = st.from_regex(rb"([a-z, ]|\\[()\\a])*", fullmatch=True)
comments = st.recursive(words, lambda inner: st.tuples(words, inner).map(lambda pair: b"%b(%b)" % pair))
entries = st.tuples(names, st.one_of(st.just(b""), comments.map(lambda text: b"(%b)" % text)))


@given(st.lists(st.tuples(protocols, entries), max_size=5), st.sampled_from([b",", b" , ", b",\t", b",,"]))
def test_what_was_written_is_read(written: list[tuple[bytes, tuple[bytes, bytes]]], comma: bytes) -> None:
    texts = [b" ".join(filter(None, (protocol, *entry))) for protocol, entry in written]
    assert parse_via(comma.join(texts)) == [Entry(*entry) for _, entry in written]


@given(st.text(st.sampled_from("1. a(),\\/\t\xe9")).map(lambda text: text.encode("latin-1")))
def test_an_entry_that_follows_a_valid_header_is_found(sent: bytes) -> None:
    if parse_via(sent):
        assert (parse_via(b", ".join([sent, b"1.1 apidot (1)"])) or [])[-1] == Entry(b"apidot", b"(1)")
