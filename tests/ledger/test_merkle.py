"""The tree of RFC 6962, its proofs, and their checks."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.ledger import merkle
from headframe.ledger.merkle import BadProof, check_consistency, check_inclusion, leaf_hash

from .naive_merkle import mth, path, proof

# Leaves and roots that the implementations of Certificate Transparency have tested each other with since 2013
# (certificate-transparency, cpp/merkletree/merkle_tree_test.cc; transparency-dev/merkle, testonly/constants.go).
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Proofs as others have recorded them (transparency-dev/merkle, testdata/inclusion and testdata/consistency).
INCLUSION = [
    (0, 8, "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
           "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="),
    (5, 8, "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= "
           "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="),
    (1, 5, "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
           "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="),
]  # fmt: skip
CONSISTENCY = [
    (1, 8, "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
           "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="),
    (6, 8, "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= "
           "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="),
    (2, 5, "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="),
]  # fmt: skip


def nodes(leaves):
    """Complete nodes of a tree, from its leaves."""
    return lambda level, number: mth(leaves[number << level : (number + 1) << level])


def some(count):
    return [b"leaf %d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_that_certificate_transparency_recorded(size: int) -> None:
    """The tree is RFC 6962's, by the words of others."""
    assert merkle.root_of([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """RFC 6962, section 2.1: MTH({}) = SHA-256()."""
    assert merkle.root_of([]) == mth([]) == merkle.EMPTY_ROOT


@pytest.mark.parametrize(("index", "size", "recorded"), INCLUSION)
def test_inclusion_proofs_are_those_that_others_recorded(index: int, size: int, recorded: str) -> None:
    """Made here, they are the same; theirs is accepted here."""
    theirs = [base64.b64decode(item) for item in recorded.split()]
    assert list(merkle.inclusion_proof(index, size, nodes(LEAVES))) == theirs
    check_inclusion(index, size, leaf_hash(LEAVES[index]), theirs, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "recorded"), CONSISTENCY)
def test_consistency_proofs_are_those_that_others_recorded(old: int, new: int, recorded: str) -> None:
    """Made here, they are the same; theirs is accepted here."""
    theirs = [base64.b64decode(item) for item in recorded.split()]
    assert list(merkle.consistency_proof(old, new, nodes(LEAVES))) == theirs
    check_consistency(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), theirs)


@pytest.mark.parametrize("size", range(1, 35))
def test_every_proof_of_a_small_tree_is_the_definitions(size: int) -> None:
    """Each leaf and each older size, against the recursions of RFC 6962; each is accepted, and no other length is."""
    leaves = some(size)
    root = mth(leaves)
    for index in range(size):
        made = merkle.inclusion_proof(index, size, nodes(leaves))
        assert list(made) == path(index, leaves)
        check_inclusion(index, size, leaf_hash(leaves[index]), made, root)
        for wrong in (made[1:], made[:-1], (*made, root), (root, *made)):
            if wrong != made:
                with pytest.raises(BadProof):
                    check_inclusion(index, size, leaf_hash(leaves[index]), wrong, root)
    for old in range(1, size + 1):
        made = merkle.consistency_proof(old, size, nodes(leaves))
        assert list(made) == proof(old, leaves)
        check_consistency(old, mth(leaves[:old]), size, root, made)
        for wrong in (made[1:], made[:-1], (*made, root), (root, *made)):
            if wrong != made:
                with pytest.raises(BadProof):
                    check_consistency(old, mth(leaves[:old]), size, root, wrong)


@given(st.integers(1, 300), st.data())
def test_one_changed_bit_is_seen(size: int, data: st.DataObject) -> None:
    """In the leaf, in any hash of the proof, in the root, in the place."""
    leaves = some(size)
    index = data.draw(st.integers(0, size - 1))
    made = list(merkle.inclusion_proof(index, size, nodes(leaves)))
    parts = [leaf_hash(leaves[index]), mth(leaves), *made]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    parts[which] = (int.from_bytes(parts[which], "big") ^ 1 << bit).to_bytes(32, "big")
    with pytest.raises(BadProof):
        check_inclusion(index, size, parts[0], parts[2:], parts[1])
    other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index)) if size > 1 else None
    if other is not None:
        with pytest.raises(BadProof):
            check_inclusion(other, size, leaf_hash(leaves[index]), made, mth(leaves))


@given(st.integers(1, 200), st.integers(0, 200), st.integers(0, 255))
def test_a_log_that_changed_its_past_is_seen(old: int, more: int, at: int) -> None:
    """No proof leads from a tree to one that has another leaf in the old part."""
    forged = some(old + more)
    forged[at % old] = b"another"
    made = merkle.consistency_proof(old, old + more, nodes(forged))
    with pytest.raises(BadProof):
        check_consistency(old, mth(some(old)), old + more, mth(forged), made)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [(5, 4, "cannot shrink: 5 leaves before, 4 now"), (3, 5, "cannot be empty"), (4, 8, "too short")],
)
def test_a_refused_proof_says_why(old: int, new: int, words: str) -> None:
    """The message has the sizes."""
    with pytest.raises(BadProof, match=words):
        check_consistency(old, mth(some(old)), new, mth(some(new)), [])


def test_hashes_of_another_length_are_refused() -> None:
    """A proof is of SHA-256 hashes; anything longer could hide a second reading."""
    with pytest.raises(BadProof, match="has 31 bytes"):
        check_inclusion(0, 2, leaf_hash(b"a"), [bytes(31)], bytes(32))
