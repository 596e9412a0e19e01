"""Numbers are shown with the digits that their interval allows, in their unit, or as undefined."""

import math

import pytest

from doxa.records import Estimate
from doxa.report.numbers import (
    Shown,
    cell,
    count,
    counted,
    decimals,
    fixed,
    null_inside,
    null_same,
    number,
    percent,
    read_share,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "low", "high", "digits"),
    [
        (0.37712, 0.352, 0.401, 3),  # half width 0.0245: two significant digits end at the third place
        (0.4, 0.1, 0.7, 2),  # 0.3
        (37.7, 34.2, 40.8, 1),  # 3.3
        (1200, 900, 1500, 0),  # 300
        (0.37712, NAN, NAN, 3),  # no interval: three significant digits
        (123.4, NAN, NAN, 0),
        (12.0, NAN, NAN, 0),  # whole
        (1.0, 1.0, 1.0, 2),  # an interval without width says nothing of digits
        (0.0335, NAN, NAN, 3),  # as many places as 0.250 has, which may stand above it
        (0.00335, NAN, NAN, 5),
        (0.0, NAN, NAN, 0),
        (1e-17, NAN, NAN, 0),  # a zero with the rounding of floating-point arithmetic
        (NAN, NAN, NAN, 0),
    ],
)
def test_digits_follow_the_interval(value, low, high, digits):
    assert decimals(value, low, high) == digits


def test_value_and_interval_share_their_digits():
    shown = Shown(Estimate("ece", 0.37712, 0.352, 0.4012, n=1200, unit="items", null=0.5, bounds=(0.3, 0.41)))
    assert (shown.value, shown.interval, shown.whole) == ("0.377", "[0.352, 0.401]", "0.377 [0.352, 0.401]")
    assert (shown.n, shown.null, shown.bounds) == ("1,200 items", "0.500", "0.300 – 0.410")


@pytest.mark.parametrize(
    ("unit", "value", "low", "high", "text"),
    [
        ("items", 0.25, 0.2, 0.3, "0.250 [0.200, 0.300]"),  # counts n; the value stands as it is
        ("share", 0.25, 0.2, 0.3, "25.0 % [20.0, 30.0]"),  # a fraction, shown as percent
        ("percent", 25, 20, 30, "25.0 % [20.0, 30.0]"),  # percent already
        ("nats", 1.42, 1.11, 1.76, "1.42 nats [1.11, 1.76]"),
    ],
)
def test_unit_of_the_value(unit, value, low, high, text):
    assert Shown(Estimate("x", value, low, high, unit=unit)).whole.replace("\N{NO-BREAK SPACE}", " ") == text


def test_undefined_says_why():
    assert Shown(Estimate("auroc", NAN, note="one class only")).value == "–  (undefined: one class only)"
    assert Shown(Estimate("auroc", NAN)).whole == "–  (undefined)"
    assert Shown(Estimate("auroc", NAN, null=NAN)).null == "–"
    assert Shown(Estimate("x", 0.5)).interval == "" and Shown(Estimate("x", 0.5)).null == ""


@pytest.mark.parametrize("estimate", [Estimate("x", NAN), Estimate("x", 0.0), Estimate("x", 1.0, 1.0, 1.0)])
def test_a_published_figure_keeps_its_digits_beside_an_estimate_without_an_interval(estimate):
    assert Shown(estimate).text(0.69) == "0.690" and Shown(estimate).text(0.2) == "0.200"


def test_tiny_numbers():
    assert (number(1e-17), number(0.0000123), number(-0.00002)) == ("0", "1.23e−05", "−2.00e−05")


def test_signs_and_infinity():
    assert fixed(-0.25, 2) == "−0.25"
    assert fixed(-0.001, 2) == "0.00"  # never minus nothing
    assert fixed(-math.inf, 2) == "−∞" and fixed(NAN, 1) == "–"
    assert number(12345.6) == "12,346" and number(0.00123) == "0.00123" and number(0.0) == "0"


def test_percent_is_whole_only_when_it_is():
    plain = [percent(x).replace("\N{NO-BREAK SPACE}", " ") for x in (0, 1e-5, 0.5, 0.99999, 1)]
    assert plain == ["0 %", "<0.1 %", "50.0 %", ">99.9 %", "100 %"]
    assert percent(NAN) == "–"


def test_cells_and_counts():
    assert [cell(x) for x in (None, True, 1234, -3, 0.5, NAN, "a")] == ["–", "yes", "1,234", "−3", "0.500", "–", "a"]
    assert count(12345) == "12,345"
    assert (counted(1, "item"), counted(2, "item")) == ("1 item", "2 items")


def test_null_inside_the_interval():
    assert null_inside(Estimate("x", 0.5, 0.4, 0.6, null=0.6))
    assert not null_inside(Estimate("x", 0.5, 0.4, 0.6, null=0.61))
    assert not null_inside(Estimate("x", 0.5, 0.4, 0.6)) and not null_inside(Estimate("x", 0.5, null=0.5))


def test_a_number_that_does_not_look_at_the_truth_is_no_suspect():
    parse_rate = Estimate("parse rate", 0.97, 0.94, 0.99, null=0.97)
    assert null_same(parse_rate) and not null_inside(parse_rate)
    assert not null_same(Estimate("x", NAN, null=NAN)) and not null_same(Estimate("x", 0.5))


def test_read_share():
    assert read_share({"ok": 2, "refused": 1, "unparsed": 1}) == 0.75 and read_share({"failed": 2}) == 0
    assert math.isnan(read_share({}))
