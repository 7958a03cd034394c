"""scipy.fft, scipy.ndimage and scipy.interpolate."""

from __future__ import annotations

import numpy as np
from scipy import fft, interpolate, ndimage

from tests.third_party.gradients import Cases, each, like

FFT: Cases = {
    **each(fft, lambda f, x: f(x, axis=1), (
        "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "dct", "idct", "dst", "idst",
    )),
    **each(fft, lambda f, x: f(x), (
        "fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2", "fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn",
        "dctn", "idctn", "dstn", "idstn", "fftshift", "ifftshift",
    )),
    "fft with n": lambda x: fft.fft(x, n=7, axis=1),
    "fftn with s": lambda x: fft.fftn(x, s=(3, 7), norm="ortho"),
    "fht": lambda x: fft.fht(x, 0.1, 0.5),
    "ifht": lambda x: fft.ifht(x, 0.1, 0.5),
}  # fmt: skip

NDIMAGE: Cases = {
    "gaussian_filter": lambda x: ndimage.gaussian_filter(x, 1.0),
    "gaussian_filter1d": lambda x: ndimage.gaussian_filter1d(x, 1.0),
    "uniform_filter": lambda x: ndimage.uniform_filter(x, 3),
    "convolve": lambda x: ndimage.convolve(x, like(x, np.ones((3, 3)))),
    "correlate1d": lambda x: ndimage.correlate1d(x, like(x, [1.0, 2.0, 3.0])),
    "sobel": lambda x: ndimage.sobel(x),
    "laplace": lambda x: ndimage.laplace(x),
    "median_filter": lambda x: ndimage.median_filter(x, 3),
    "vectorized_filter": lambda x: ndimage.vectorized_filter(x, lambda v, axis: v.mean(axis=axis), size=3),
    "map_coordinates": lambda x: ndimage.map_coordinates(x, like(x, [[0.5, 1.5], [1.2, 2.3]]), order=1),
    "shift": lambda x: ndimage.shift(x, 0.5, order=1),
    "zoom": lambda x: ndimage.zoom(x, 2.0, order=1),
    "rotate": lambda x: ndimage.rotate(x, 20.0, order=1),
    "fourier_shift": lambda x: ndimage.fourier_shift(x, 0.5),
    "center_of_mass": lambda x: ndimage.center_of_mass(x),
    "sum_labels": lambda x: ndimage.sum_labels(x),
    "grey_dilation": lambda x: ndimage.grey_dilation(x, 3),
}

INTERPOLATE: Cases = {
    "CubicSpline": lambda x: interpolate.CubicSpline(like(x, np.arange(5.0)), x[0, :])(like(x, [1.5])),
    "make_interp_spline": lambda x: interpolate.make_interp_spline(like(x, np.arange(5.0)), x[0, :])(like(x, [1.5])),
    "BSpline": lambda x: interpolate.BSpline(like(x, np.arange(8.0)), x[0, :4], 3)(like(x, [3.5])),
    "PchipInterpolator": lambda x: interpolate.PchipInterpolator(like(x, np.arange(5.0)), x[0, :])(like(x, [1.5])),
    "Akima1DInterpolator": lambda x: interpolate.Akima1DInterpolator(like(x, np.arange(5.0)), x[0, :])(like(x, [1.5])),
    "PPoly": lambda x: interpolate.PPoly(x[:, :2], like(x, [0.0, 1.0, 2.0]))(like(x, [0.3, 1.4])),
    "RegularGridInterpolator": lambda x: interpolate.RegularGridInterpolator(
        (like(x, np.arange(4.0)), like(x, np.arange(5.0))), x
    )(like(x, [[0.5, 1.5]])),
    "RBFInterpolator": lambda x: interpolate.RBFInterpolator(like(x, POINTS), x[:, 0])(like(x, [[0.3, 0.4]])),
}

POINTS = np.asarray([[0.0, 0.0], [1.0, 0.1], [0.2, 1.0], [0.9, 1.2]])
CASES: Cases = {
    **{f"fft.{name}": f for name, f in FFT.items()},
    **{f"ndimage.{name}": f for name, f in NDIMAGE.items()},
    **{f"interpolate.{name}": f for name, f in INTERPOLATE.items()},
}
