"""Sessions: `python -m nox -l` lists them; each has its own environment.

`python -m nox -s tests` is the light one (numpy, array-api-strict, and cupy if a GPU is available). The heavy
libraries have separate sessions: `python -m nox -s "tests(backend='torch')"`.
"""

import re
import shutil
import subprocess

import nox

nox.options.sessions = ["tests", "docs", "lint", "types"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"

HEAVY = {"torch": "torch==2.13.0", "jax": "jax==0.10.2"}
EXPORT = ("dask==2026.8.0", "distributed==2026.8.0", "ndonnx==0.23.0", "onnx==1.23.2", "onnxruntime==1.31.1")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--durations=5")
BENCHMARKS = (
    "step",
    "small_calls",
    "autodiff",
    "optimizers",
    "random_draws",
    "heavy",
    "growth",
    "fit_overhead",
    "jax_compiled",
)


def cupy_extra() -> str | None:
    """The extra for the NVIDIA driver of this machine; None without a driver."""
    if shutil.which("nvidia-smi") is None:
        return None
    output = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"CUDA Version: (\d+)", output)
    if version is None:
        return None
    return "cupy13" if int(version[1]) >= 13 else "cupy12"


def run_tests(session: nox.Session, backend: str) -> None:
    """Run the whole suite on one backend."""
    extras = "test"
    if backend == "cupy":
        extra = cupy_extra()
        if extra is None:
            session.skip("cupy: no NVIDIA GPU available (`nvidia-smi` lists none)")
        extras = f"test,{extra}"
    session.install("-e", f".[{extras}]", *([HEAVY[backend]] if backend in HEAVY else []))
    ids = {"strict": "strict,strict-device1", "torch": "torch"}.get(backend, backend)
    others = [f"--ignore=tests/{room}" for room in ("oracles", "keras", "third_party")]  # these have separate sessions
    session.run("pytest", *PARALLEL, *others, *session.posargs, env={**ONE_THREAD, "PORTANET_TEST_BACKENDS": ids})


@nox.session
@nox.parametrize("backend", ["numpy", "strict", "cupy"])
def tests(session: nox.Session, backend: str) -> None:
    """The test suite on the light backends."""
    run_tests(session, backend)


@nox.session(name="tests(backend='torch')", default=False)
def tests_torch(session: nox.Session) -> None:
    """The test suite on PyTorch."""
    run_tests(session, "torch")


@nox.session(name="tests(backend='jax')", default=False)
def tests_jax(session: nox.Session) -> None:
    """The test suite on JAX."""
    run_tests(session, "jax")


@nox.session(default=False)
def nightly(session: nox.Session) -> None:
    """What takes too long for every change: the whole suite on JAX, of which `.ci/run` runs a sample."""
    session.notify("tests(backend='jax')")


@nox.session(default=False)
def oracles(session: nox.Session) -> None:
    """portanet's results against those of PyTorch and Keras 3."""
    session.install("-e", ".[test]", *HEAVY.values(), "keras==3.15.1")
    # With both libraries installed, conversions between them are tested too; and JAX compiles as it does for users.
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,torch,jax", "KERAS_BACKEND": "torch", "XLA_FLAGS": ""}
    session.run("pytest", *PARALLEL, "tests/oracles", "tests/backends", *session.posargs, env=env)


@nox.session(default=False)
def keras(session: nox.Session) -> None:
    """What Keras's users bring along: names and signatures, `ops`, files, and scripts with the import changed."""
    session.install("-e", ".[test,keras]", *HEAVY.values(), "keras==3.15.1")
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,torch,jax", "KERAS_BACKEND": "torch"}
    session.run("pytest", *PARALLEL, "tests/keras", *session.posargs, env=env)


@nox.session(default=False)
def portability(session: nox.Session) -> None:
    """Every block on every backend, compared with NumPy; `-- --write` updates the tables in the documentation."""
    extra = cupy_extra()
    session.install("-e", ".[test]" if extra is None else f".[test,{extra}]", *HEAVY.values())
    session.run("python", "-m", "tests.portability.run", *session.posargs, env=ONE_THREAD)


@nox.session(default=False)
def third_party(session: nox.Session) -> None:
    """Code of other libraries, written against the standard, run on traced arrays."""
    session.install("-e", ".[test]", HEAVY["torch"], "einops==0.8.2", "xarray==2026.9.0")
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,strict,strict-device1", "SCIPY_ARRAY_API": "1"}
    session.run("pytest", *PARALLEL, "tests/third_party", *session.posargs, env=env)


@nox.session(default=False)
def export(session: nox.Session) -> None:
    """Layers and models on Dask and ONNX arrays: lazy prediction, and files that onnxruntime reads."""
    session.install("-e", ".[test,dask,onnx]", *EXPORT)
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,strict-device1"}
    onnx = "tests/backends/test_overrides.py::test_override_of_onnx_is_the_definition"
    session.run("pytest", *PARALLEL, "tests/export", "tests/training/test_dask.py", onnx, *session.posargs, env=env)


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples in README.md and docs/, and compare their output."""
    session.install("-e", ".[test,demo,dask,onnx]")
    session.run("pytest", "--doctest-glob=*.md", "README.md", "docs", "tests/test_documents.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, and the import contracts."""
    session.install("-e", ".[lint,test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo")
    session.run("pytest", "tests/test_repository.py", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """mypy in strict mode."""
    session.install("-e", ".[types]")
    session.run("mypy", *session.posargs)


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Train on handwritten digits on every available backend; `-- torch jax` installs these libraries first."""
    extra = cupy_extra()
    session.install("-e", ".[demo]" if extra is None else f".[demo,{extra}]")
    unknown = [name for name in session.posargs if name not in HEAVY]
    if unknown:
        session.error(f"Arguments after `--` must be among {', '.join(HEAVY)}. Received: {' '.join(unknown)}")
    if session.posargs:
        session.install(*(HEAVY[name] for name in session.posargs))
    session.run("python", "examples/demo.py")


@nox.session(default=False)
def compliance(session: nox.Session) -> None:
    """The array API test suite on the differentiable namespace: `-- path/to/array-api-tests`."""
    if not session.posargs:
        session.error(
            "run: git clone --recursive https://github.com/data-apis/array-api-tests, and then: "
            "python -m nox -s compliance -- array-api-tests"
        )
    session.install("-e", ".[test]", "-r", f"{session.posargs[0]}/requirements.txt")
    session.run("python", "tests/compliance/run.py", *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Benchmarks without data files or a GPU, compared with PyTorch and Keras; `-- heavy step` runs only these."""
    session.install("-e", ".[demo]", *HEAVY.values(), "keras==3.15.1")
    for name in session.posargs or BENCHMARKS:
        session.run("python", "-m", f"benchmarks.{name}")
