import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from jachess_lib import Network
from jachess_lib.figures import (
    check_table,
    draw_network,
    layer_lines,
    show_signed,
)

mpl.use("Agg")


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_zero_is_paper_and_signs_are_even(ax):
    image = show_signed(ax, np.array([[0.0, -3.0], [2.0, 1.0]]))
    assert image.get_clim() == (-3, 3)
    assert image.get_cmap().name == "signed"
    paper = mpl.colors.to_rgb("#FCFBF7")
    np.testing.assert_allclose(image.to_rgba(np.array([0.0]))[0, :3], paper, atol=0.01)
    assert show_signed(ax, np.eye(2), limit=5).get_clim() == (-5, 5)
    assert show_signed(ax, np.zeros((2, 2))).get_clim() == (-1, 1)


def test_lines_stand_between_the_layers(ax):
    net = Network.random((3, 4, 2))
    layer_lines(ax, net)
    positions = sorted(
        {float(v) for line in ax.lines for v in (*line.get_xdata(), *line.get_ydata())}
    )
    assert positions == [0, 1, 15.5]
    assert len(ax.lines) == 2


def test_a_network_has_its_units_values_and_connections(ax):
    sizes, values = (2, 3, 1), [[1, 2], [3, 4, 5], [6]]
    units = draw_network(ax, sizes, values, labels=["x", "hidden", "y"])
    np.testing.assert_array_equal(units.get_array(), [1, 2, 3, 4, 5, 6])
    offsets = units.get_offsets()
    np.testing.assert_array_equal(offsets[:, 0], [0, 0, 1, 1, 1, 2])
    assert offsets[2, 1] > offsets[3, 1] > offsets[4, 1]  # unit 0 on top
    assert len(ax.lines) == 2 * 3 + 3 * 1
    assert [text.get_text() for text in ax.texts] == ["x", "hidden", "y"]
    assert not ax.axison


def test_the_style_sheet_is_in_the_package():
    with plt.style.context("jachess_lib.jachess"):
        assert plt.rcParams["axes.titlelocation"] == "left"
        assert plt.rcParams["savefig.dpi"] == 200


def test_what_is_not_a_number_blanks_nothing_else():
    A = np.array([[1.0, -2.0], [np.nan, np.inf]])
    _, ax = plt.subplots()
    image = show_signed(ax, A)
    assert image.get_clim() == (-2, 2)
    assert show_signed(ax, np.full((2, 2), np.nan)).get_clim() == (-1, 1)
    plt.close("all")


def test_a_table_of_checks_refuses_a_mistake_that_is_not_seen():
    row = ("complex step", "below 1e-13", "no slope")
    table = check_table((*row, np.array([[0.5]])))
    assert repr(table) == table._repr_markdown_() == str(table)
    assert table.splitlines()[2] == "| complex step | below 1e-13 | no slope | 0.50 |"
    for off in (0.0, 0.004, np.nan):
        with pytest.raises(ValueError, match="'no slope' is .* does not see it"):
            check_table((*row, off))
    for wrong in (row, (*row, np.ones(2))):
        with pytest.raises(ValueError, match="a row must be .* got"):
            check_table(wrong)
