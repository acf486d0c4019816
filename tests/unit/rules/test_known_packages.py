"""The table of packages and the modules that they bring."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from localep.rules.known_packages import known_packages

KNOWN = known_packages()
HOLDERS = {name for names in KNOWN.held.values() for name in names}


def test_every_name_of_a_package_is_in_its_canonical_form() -> None:
    names = {*KNOWN.brings, *HOLDERS}.union(*KNOWN.brings.values())
    assert [name for name in names if name != canonicalize_name(name)] == []


def test_what_a_package_brings_has_a_module_that_scripts_import() -> None:
    brought = frozenset[str]().union(*KNOWN.brings.values())
    assert brought - HOLDERS == set()


def test_a_module_is_found_by_the_part_of_its_name_that_is_known() -> None:
    assert KNOWN.holders("sklearn.svm.SVC") == ("scikit-learn",)
    assert KNOWN.holders("azure.storage.blob.BlobClient") == ("azure-storage-blob",)
    assert KNOWN.holders("azure") == ()
    assert KNOWN.holders("of_somebody") == ()


def test_what_comes_along_is_counted_with_what_is_asked_for() -> None:
    assert KNOWN.with_brought({"scipy", "of-somebody"}) == {"scipy", "of-somebody", "numpy"}
    assert KNOWN.are_all_known({"scipy", "numpy"})
    assert not KNOWN.are_all_known({"scipy", "of-somebody"})
