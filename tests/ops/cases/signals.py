"""Fourier transforms, sequences and complex numbers: other axes, lengths, windows and dtypes."""

from tests.ops.cases.usual import RNG, Case, K, P, T, X, Y, call

SAMPLES = RNG.uniform(-1, 1, (2, 21))
SPECTRUM = (RNG.uniform(-1, 1, (2, 6, 5)), RNG.uniform(-1, 1, (2, 6, 5)))
WINDOW = RNG.uniform(0.5, 1, 6)

CASES: dict[str, list[Case]] = {
    "fft": [call((T, T[::-1] + 1))],
    "fft2": [call((T, T[::-1] + 1))],
    "ifft2": [call((T, T[::-1] + 1))],
    "rfft": [call(T), call(T, 3), call(T, 7), call(K)],
    "irfft": [call((T, T[::-1] + 1)), call((T, T + 1), 5), call((T, T + 1), fft_length=9)],
    "extract_sequences": [call(SAMPLES, 4, 3), call(SAMPLES, 21, 2), call(SAMPLES, 5, 1), call(K, 2, 1)],
    "stft": [
        call(SAMPLES, 6, 3, 8),
        call(SAMPLES, 6, 3, 8, "hamming"),
        call(SAMPLES, 6, 3, 9, WINDOW, False),
        call(SAMPLES, 6, 2, 8, None),
        call(SAMPLES, 8, 4, 8, None, center=False),
        call(SAMPLES, 7, 3, 7, "hann", False),
    ],
    "istft": [
        call(SPECTRUM, 6, 3, 8),
        call(SPECTRUM, 6, 3, 8, 10),
        call(SPECTRUM, 8, 4, 8, None, "hamming"),
        call(SPECTRUM, 8, 3, 8, window=None, length=9),
        call(SPECTRUM, 8, 4, 8, length=12),
        call(SPECTRUM, 8, 3, 8, center=False, window=None),
    ],
    "real": [call(X), call(K)],
    "conj": [call(X)],
    "conjugate": [call(X), call(K)],
    "angle": [call(K)],
    "polar": [call(P, Y)],
    "view_as_complex": [call(K[:, :2].astype("float32"))],
    "view_as_real": [call(X + 1j * P)],
}
