import runpy
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from jachess_lib import Network, figures
from jachess_lib.figures import (
    check_table,
    draw_network,
    layer_lines,
    plot_hessian,
    plot_jacobian,
    plot_spectrum,
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


def test_a_hessian_has_its_layers_and_its_own_axes():
    net = Network.random((3, 4, 2))
    H = np.arange(26.0 * 26).reshape(26, 26) - 300
    axes = plot_hessian(net, H, limit=400)
    assert axes.images[0].get_clim() == (-400, 400)
    np.testing.assert_array_equal(axes.images[0].get_array(), H)
    assert len(axes.lines) == 2
    plt.close(axes.figure)
    with pytest.raises(ValueError, match=r"\(26, 26\).*got \(3, 3\)"):
        plot_hessian(net, np.eye(3))


def test_a_jacobian_has_a_name_for_each_input(ax):
    J = np.array([[1.0, -2, 0], [3, 0, 1]])
    assert plot_jacobian(J, inputs=["a", "b", "c"], rows=["k", "l"], ax=ax) is ax
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b", "c"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["k", "l"]
    assert ax.images[0].get_clim() == (-3, 3)
    with pytest.raises(ValueError, match="one output"):
        plot_jacobian(J[None], ax=ax)
    with pytest.raises(ValueError, match="inputs must have 3 names, got 2"):
        plot_jacobian(J, inputs=["a", "b"], ax=ax)


@pytest.mark.parametrize("as_matrix", [True, False])
def test_a_spectrum_keeps_signs_apart_and_rounding_out(ax, as_matrix):
    values = np.array([-2.0, 1e-18, 5.0, -0.1, 3.0])
    A = np.diag(values) if as_matrix else values
    assert plot_spectrum(A, ax=ax) is ax
    up, down = ax.lines
    np.testing.assert_array_equal(up.get_xydata(), [[1, 5], [2, 3]])
    np.testing.assert_allclose(down.get_xydata(), [[4, 0.1], [5, 2]])
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        plot_spectrum(np.ones((2, 3)), ax=ax)


def test_pictures_of_what_is_no_number_or_nothing(ax):
    with pytest.raises(ValueError, match="A must be finite"):
        plot_spectrum([1.0, np.nan], ax=ax)
    with pytest.raises(ValueError, match="with entries"):
        plot_jacobian(np.empty((0, 3)), ax=ax)
    assert plot_spectrum([0.0, 0.0], ax=ax) is ax


def test_a_spectrum_of_one_sign_or_none(ax):
    plot_spectrum([1.0, 2.0], ax=ax)
    assert len(ax.lines) == 1
    assert plot_spectrum([], ax=ax) is ax


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


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "jachess-lib\[figures\]"'):
        runpy.run_path(figures.__file__)
