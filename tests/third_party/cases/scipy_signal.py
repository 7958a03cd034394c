"""scipy.signal and its windows."""

from __future__ import annotations

import numpy as np
from scipy import signal
from scipy.signal import windows

from tests.third_party.gradients import Cases, each, like, namespace

CASES: Cases = {
    # Convolution
    "convolve": lambda x: signal.convolve(x, x, method="fft"),
    "convolve (direct)": lambda x: signal.convolve(x, x, method="direct"),
    "correlate": lambda x: signal.correlate(x, x[:2, :2], method="fft"),
    "correlate (direct)": lambda x: signal.correlate(x, x[:2, :2], method="direct"),
    "fftconvolve": lambda x: signal.fftconvolve(x, x[:2, :2]),
    "oaconvolve": lambda x: signal.oaconvolve(x, x),
    "convolve2d": lambda x: signal.convolve2d(x, x[:2, :2]),
    "correlate2d": lambda x: signal.correlate2d(x, x[:2, :2]),
    # Filters
    "lfilter": lambda x: signal.lfilter(like(x, [0.5, 0.2]), like(x, [1.0, 0.3]), x, axis=1),
    "lfilter_zi": lambda x: signal.lfilter_zi(x[0, :3], x[1, :3]),
    "lfiltic": lambda x: signal.lfiltic(x[0, :2], x[1, :2], x[2, :1]),
    "filtfilt": lambda x: signal.filtfilt(like(x, [0.5, 0.2]), like(x, [1.0, 0.3]), x, axis=1, padlen=2),
    "sosfilt": lambda x: signal.sosfilt(like(x, [[0.5, 0.2, 0.1, 1.0, 0.3, 0.1]]), x, axis=1),
    "sosfilt_zi": lambda x: signal.sosfilt_zi(x[:2, :3] @ like(x, np.eye(3, 6)) + like(x, SOS)),
    "medfilt": lambda x: signal.medfilt(x, 3),
    "order_filter": lambda x: signal.order_filter(x, like(x, np.ones((3, 3))), 4),
    "wiener": lambda x: signal.wiener(x, (3, 3)),
    "savgol_filter": lambda x: signal.savgol_filter(x, 3, 1, axis=1),
    "upfirdn": lambda x: signal.upfirdn(like(x, [1.0, 2.0]), x, 2, axis=1),
    "detrend": signal.detrend,
    "detrend (constant)": lambda x: signal.detrend(x, type="constant"),
    "resample": lambda x: signal.resample(x, 8, axis=1),
    "resample_poly": lambda x: signal.resample_poly(x, 2, 1, axis=1),
    "decimate": lambda x: signal.decimate(namespace(x).reshape(x, (-1,)), 2, n=2),
    "hilbert": lambda x: signal.hilbert(x, axis=1),
    "hilbert2": lambda x: signal.hilbert2(x),
    "envelope": lambda x: signal.envelope(x, (1, 3), axis=1),
    "deconvolve": lambda x: signal.deconvolve(x[0, :], x[1, :2]),
    "vectorstrength": lambda x: signal.vectorstrength(x[0, :], 2.0),
    "cspline1d": lambda x: signal.cspline1d(x[0, :]),
    "qspline1d": lambda x: signal.qspline1d(x[0, :]),
    "gauss_spline": lambda x: signal.gauss_spline(x, 3),
    # Spectra
    "periodogram": lambda x: signal.periodogram(x)[1],
    "welch": lambda x: signal.welch(x, nperseg=4)[1],
    "csd": lambda x: signal.csd(x, x**2, nperseg=4)[1],
    "lombscargle": lambda x: signal.lombscargle(x[0, :], x[1, :], like(x, [1.0, 2.0])),
    "czt": lambda x: signal.czt(x[0, :], 4),
    # Filter design
    "freqz": lambda x: signal.freqz(x[0, :], x[1, :], worN=4)[1],
    "freqz_sos": lambda x: signal.freqz_sos(x[:2, :3] @ like(x, np.eye(3, 6)) + like(x, SOS), worN=4)[1],
    "freqz_zpk": lambda x: signal.freqz_zpk(x[0, :2] / 9, x[1, :2] / 9, 2.0, worN=4)[1],
    "freqs": lambda x: signal.freqs(x[0, :3], x[1, :3], worN=4)[1],
    "freqs_zpk": lambda x: signal.freqs_zpk(x[0, :2], x[1, :2], 2.0, worN=4)[1],
    "group_delay": lambda x: signal.group_delay((x[0, :3], x[1, :3]), w=4)[1],
    "normalize": lambda x: signal.normalize(x[0, :3], x[1, :3]),
    "bilinear": lambda x: signal.bilinear(x[0, :3], x[1, :3]),
    "bilinear_zpk": lambda x: signal.bilinear_zpk(-x[0, :2], -x[1, :3], 2.0, 1.0)[:2],
    "lp2lp": lambda x: signal.lp2lp(x[0, :3], x[1, :3], 2.0),
    "lp2hp": lambda x: signal.lp2hp(x[0, :3], x[1, :3], 2.0),
    "lp2bp": lambda x: signal.lp2bp(x[0, :3], x[1, :3], 2.0),
    "lp2bs": lambda x: signal.lp2bs(x[0, :3], x[1, :3], 2.0),
    "lp2lp_zpk": lambda x: signal.lp2lp_zpk(-x[0, :2], -x[1, :3], 1.0, 2.0),
    "lp2hp_zpk": lambda x: signal.lp2hp_zpk(-x[0, :2], -x[1, :3], 1.0, 2.0),
    "lp2bp_zpk": lambda x: signal.lp2bp_zpk(-x[0, :2], -x[1, :3], 1.0, 2.0),
    "lp2bs_zpk": lambda x: signal.lp2bs_zpk(-x[0, :2], -x[1, :3], 1.0, 2.0),
    "zpk2tf": lambda x: signal.zpk2tf(x[0, :2], x[1, :3], 2.0),
    "tf2zpk": lambda x: signal.tf2zpk(x[0, :3], x[1, :3])[:2],
    "zpk2sos": lambda x: signal.zpk2sos(x[0, :2] / 9, x[1, :2] / 9, 2.0),
    "sos2tf": lambda x: signal.sos2tf(x[:2, :3] @ like(x, np.eye(3, 6)) + like(x, SOS)),
    "sos2zpk": lambda x: signal.sos2zpk(x[:2, :3] @ like(x, np.eye(3, 6)) + like(x, SOS))[0],
    "abcd_normalize": lambda x: signal.abcd_normalize(x[:2, :2], x[:2, 2:3], x[2:3, :2], x[3:4, 4:5]),
    "firwin": lambda x: signal.firwin(5, like(x, [0.2, 0.5]) * x[0, 0] / 2),
    "firls": lambda x: signal.firls(5, like(x, [0.0, 0.3, 0.5, 1.0]), x[0, :4]),
    "minimum_phase": lambda x: signal.minimum_phase(x[0, :]),
    "savgol_coeffs": lambda x: signal.savgol_coeffs(5, 2, xp=namespace(x)) * x,
    # Windows, made by the namespace of the argument
    **{f"windows.{name}": f for name, f in each(windows, lambda f, x: f(5, xp=namespace(x)) * x, (
        "barthann", "bartlett", "blackman", "blackmanharris", "bohman", "boxcar", "cosine", "exponential", "flattop",
        "hamming", "hann", "lanczos", "nuttall", "parzen", "taylor", "triang", "tukey",
    )).items()},
    "windows.chebwin": lambda x: windows.chebwin(5, 60, xp=namespace(x)) * x,
    "windows.gaussian": lambda x: windows.gaussian(5, x[0, 0], xp=namespace(x)) * x,
    "windows.general_gaussian": lambda x: windows.general_gaussian(5, 1.5, x[0, 0], xp=namespace(x)) * x,
    "windows.general_cosine": lambda x: windows.general_cosine(5, x[0, :3]) * x,
    "windows.general_hamming": lambda x: windows.general_hamming(5, 0.6, xp=namespace(x)) * x,
    "windows.exponential, of tau": lambda x: windows.exponential(5, tau=x[0, 0], xp=namespace(x)) * x,
    "windows.kaiser": lambda x: windows.kaiser(5, 2.0, xp=namespace(x)) * x,
    "windows.kaiser_bessel_derived": lambda x: windows.kaiser_bessel_derived(4, 2.0, xp=namespace(x)) * x[:, :4],
    "get_window": lambda x: signal.get_window("hann", 5, xp=namespace(x)) * x,
}  # fmt: skip

SOS = np.asarray([[0.0, 0.0, 0.0, 1.0, 0.3, 0.1], [0.0, 0.0, 0.0, 1.0, 0.2, 0.1]])
