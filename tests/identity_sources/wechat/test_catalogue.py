"""The explanations for operators."""

import pytest

from identity_sources.wechat.catalogue import EXPLANATIONS, UNKNOWN, explain
from identity_sources.wechat.errcodes import KNOWN_ERRCODES


def test_every_known_errcode_is_explained_and_no_other():
    assert EXPLANATIONS.keys() == KNOWN_ERRCODES


@pytest.mark.parametrize("errcode", sorted(KNOWN_ERRCODES))
def test_an_explanation_says_what_happened_and_what_to_do(errcode):
    explanation = explain(errcode)

    assert explanation is not UNKNOWN
    assert explanation.meaning.endswith(".")
    assert explanation.remedy.endswith(".")


@pytest.mark.parametrize("errcode", [0, 1, 99999])
def test_an_unknown_errcode_gets_the_general_explanation(errcode):
    assert explain(errcode) is UNKNOWN


@pytest.mark.parametrize("errcode", [40164, 61004])
def test_a_refused_address_is_explained_by_the_ip_list_and_its_menu_path(errcode):
    assert "开发管理 > 开发设置 > IP白名单" in explain(errcode).remedy


@pytest.mark.parametrize("explanation", [*EXPLANATIONS.values(), UNKNOWN])
def test_a_text_has_no_percent_sign_that_would_make_it_a_format(explanation):
    assert "%" not in explanation.meaning + explanation.remedy
    assert "  " not in explanation.meaning + explanation.remedy
