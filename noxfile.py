"""Sessions: `python -m nox -l` lists them; each has its own environment, except those of the heavy libraries.

`python -m nox -s tests` is the light one (numpy, array-api-strict, and cupy if a GPU is available). Sessions that need
PyTorch, JAX or Keras share one, since installing these takes minutes: `python -m nox -s "tests(backend='torch')"`.
"""

import os
import re
import shutil
import subprocess
import sys

import nox

nox.options.sessions = ["tests", "docs", "lint", "types"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False

HEAVY = {"torch": "torch==2.13.0", "jax": "jax==0.10.2"}
PEERS = (*HEAVY.values(), "keras==3.15.1", "einops==0.8.2", "einx==0.4.3", "xarray==2026.9.0")
EXPORT = ("dask==2026.8.0", "distributed==2026.8.0", "ndonnx==0.23.0", "onnx==1.23.2", "onnxruntime==1.31.1")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--durations=5")
BENCHMARKS = (
    "heavy",
    "small_calls",
    "growth",
    "overheads",
    "optimizers",
    "products",
    "autodiff",
    "random_draws",
    "jax_compiled",
    "processes",
    "distribution",
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


def heavy(session: nox.Session, *command: str, extras: str = "test", **env: str) -> None:
    """Run a Python module, with the session's arguments, in the environment that the heavy libraries share."""
    run_heavy(session, *command, *session.posargs, extras=extras, **env)


def run_heavy(session: nox.Session, *command: str, extras: str, **env: str) -> None:
    """Likewise with given arguments."""
    folder = os.path.abspath(".nox/heavy")
    session.run(sys.executable, "-m", "virtualenv", "--quiet", folder)
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
    session.run(python, "-m", "pip", "install", "--quiet", "-e", f".[{extras}]", *PEERS)
    session.run(python, "-m", *command, env={**ONE_THREAD, "KERAS_BACKEND": "torch", **env})


SEPARATE = [f"--ignore=tests/{room}" for room in ("oracles", "keras", "third_party")]  # these have own sessions


@nox.session
@nox.parametrize("backend", ["numpy", "strict", "cupy"])
def tests(session: nox.Session, backend: str) -> None:
    """The test suite on the light backends."""
    extras = "test"
    if backend == "cupy":
        extra = cupy_extra()
        if extra is None:
            session.skip("cupy: no NVIDIA GPU available (`nvidia-smi` lists none)")
        extras = f"test,{extra}"
    session.install("-e", f".[{extras}]")
    ids = {"strict": "strict,strict-device1"}.get(backend, backend)
    selected = ("--matrix",) if backend == "strict" else ()  # what takes no backend runs with NumPy
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": ids}
    session.run("pytest", *PARALLEL, *SEPARATE, *selected, *session.posargs, env=env)


@nox.session(default=False)
def lowest(session: nox.Session) -> None:
    """The light test suite on the lowest versions of all dependencies that pyproject.toml allows, with Python 3.11."""
    session.install("uv")
    session.run("uv", "pip", "install", "--quiet", "--upgrade", "--resolution", "lowest-direct", "-e", ".[test]")
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,strict,strict-device1"}
    # Old releases among new ones are warned about.
    deprecated = ("-W", "ignore::DeprecationWarning")
    session.run("pytest", *PARALLEL, *SEPARATE, *deprecated, *session.posargs, env=env)


@nox.session(default=False, python=["3.11", "3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """The light test suite on every version of Python that is installed; the others are skipped."""
    session.install("-e", ".[test]")
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,strict,strict-device1"}
    session.run("pytest", *PARALLEL, *SEPARATE, *session.posargs, env=env)


@nox.session(name="tests(backend='torch')", default=False, venv_backend="none")
def tests_torch(session: nox.Session) -> None:
    """The test suite on PyTorch: what takes a backend."""
    heavy(session, "pytest", *PARALLEL, *SEPARATE, "--matrix", PORTANET_TEST_BACKENDS="torch")


@nox.session(name="tests(backend='jax')", default=False, venv_backend="none")
def tests_jax(session: nox.Session) -> None:
    """The test suite on JAX."""
    heavy(session, "pytest", *PARALLEL, *SEPARATE, PORTANET_TEST_BACKENDS="jax")


@nox.session(name="tests(backend='mlx')", default=False, venv_backend="none")
def tests_mlx(session: nox.Session) -> None:
    """The test suite on MLX: its CPU library on Linux."""
    heavy(session, "pytest", *PARALLEL, *SEPARATE, "--matrix", extras="test,mlx", PORTANET_TEST_BACKENDS="mlx")


@nox.session(name="tests(backend='dpnp')", default=False, venv_backend="none")
def tests_dpnp(session: nox.Session) -> None:
    """The test suite on dpnp, on the CPU where there is no Intel GPU."""
    heavy(session, "pytest", *PARALLEL, *SEPARATE, "--matrix", extras="test,dpnp", PORTANET_TEST_BACKENDS="dpnp")


@nox.session(default=False, venv_backend="none")
def nightly(session: nox.Session) -> None:
    """What takes too long for every change: the whole suite on libraries of which `.ci/run` runs a sample; networks."""
    for backend in ("jax", "mlx", "dpnp"):
        session.notify(f"tests(backend='{backend}')")
    session.notify("oracles(backend='jax')")
    session.notify("networks")


@nox.session(default=False, venv_backend="none")
def networks(session: nox.Session) -> None:
    """Every network of `applications` against Keras's: structure and values."""
    heavy(session, "tests.keras.networks")


@nox.session(default=False, venv_backend="none")
def oracles(session: nox.Session) -> None:
    """portanet's results against those of PyTorch and Keras 3."""
    # Conversions between the libraries are tested, too.
    ids = "numpy,torch"
    heavy(session, "pytest", *PARALLEL, "tests/oracles", "tests/backends", PORTANET_TEST_BACKENDS=ids)


@nox.session(name="oracles(backend='jax')", default=False, venv_backend="none")
def oracles_jax(session: nox.Session) -> None:
    """The same on JAX, which compiles as it does for users."""
    paths = ("tests/oracles", "tests/backends")
    heavy(session, "pytest", *PARALLEL, *paths, "--matrix", PORTANET_TEST_BACKENDS="jax", XLA_FLAGS="")


@nox.session(default=False, venv_backend="none")
def keras(session: nox.Session) -> None:
    """What Keras's users bring along: names and signatures, `ops`, files, and scripts with the import changed."""
    heavy(session, "pytest", *PARALLEL, "tests/keras", PORTANET_TEST_BACKENDS="numpy,torch,jax")


@nox.session(default=False, venv_backend="none")
def portability(session: nox.Session) -> None:
    """Every block on every backend, compared with NumPy; `-- --write` updates the tables in the documentation."""
    extras = ["test", "mlx", "dpnp", *filter(None, [cupy_extra()])]
    heavy(session, "tests.portability.run", extras=",".join(extras))


@nox.session(default=False, venv_backend="none")
def third_party(session: nox.Session) -> None:
    """Code of other libraries, written against the standard, run on traced arrays."""
    ids = "numpy,strict,strict-device1"
    heavy(session, "pytest", *PARALLEL, "tests/third_party", PORTANET_TEST_BACKENDS=ids, SCIPY_ARRAY_API="1")


@nox.session(default=False)
def export(session: nox.Session) -> None:
    """Layers and models on Dask and ONNX arrays: lazy prediction, and files that onnxruntime reads."""
    session.install("-e", ".[test,dask,onnx]", *EXPORT)
    env = {**ONE_THREAD, "PORTANET_TEST_BACKENDS": "numpy,strict-device1"}
    onnx = "tests/backends/test_overrides.py::test_override_of_onnx_is_the_definition"
    session.run("pytest", *PARALLEL, "tests/export", "tests/training/test_dask.py", onnx, *session.posargs, env=env)


@nox.session(default=False, venv_backend="none")
def distributed(session: nox.Session) -> None:
    """Jobs of several processes, which mpiexec starts on this machine."""
    heavy(session, "pytest", "tests/distribution", extras="test,mpi")


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples in README.md and docs/, and compare their output."""
    session.install("-e", ".[test,demo,dask,onnx]")
    session.run("pytest", "--doctest-glob=*.md", "README.md", "docs", "tests/test_documents.py", *session.posargs)


@nox.session(default=False, venv_backend="none")
def site(session: nox.Session) -> None:
    """Build the site in build/site; `-- fast` does not run the gallery, `-- linkcheck` tries links to other sites."""
    builder, folder = ("linkcheck", "build/linkcheck") if "linkcheck" in session.posargs else ("html", "build/site")
    fast = ["-D", "plot_gallery=0"] if session.posargs else []
    mnist = os.environ.get("MNIST", os.path.abspath("../shared/data/mnist"))
    options = ["-b", builder, "-j", "2", "-W", "--keep-going", "-d", "build/doctrees", *fast]
    run_heavy(session, "sphinx", *options, "docs", folder, extras="site", MNIST=mnist)


@nox.session(default=False)
def wheel(session: nox.Session) -> None:
    """Build the distributions, check what a package index shows, and run README's example on the wheel alone."""
    session.install("build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    files = [os.path.abspath(os.path.join("dist", name)) for name in os.listdir("dist")]
    session.run("twine", "check", "--strict", *files)
    session.install("--force-reinstall", *(file for file in files if file.endswith(".whl")))
    with open("README.md", encoding="utf-8") as file:
        example = "".join(re.findall(r"```python\n(.*?)```", file.read(), flags=re.DOTALL))
    session.chdir(session.create_tmp())
    session.run("python", "-m", "portanet", "info")
    session.run("python", "-c", example)


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
    """mypy in strict mode, and what it sees in scripts."""
    session.install("-e", ".[types,test]")
    session.run("mypy", *session.posargs)
    session.run("pytest", "-q", "tests/test_types.py")


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Train on handwritten digits on every available backend; `-- torch mlx` installs these libraries first."""
    known = (*HEAVY, "mlx", "dpnp")
    unknown = [name for name in session.posargs if name not in known]
    if unknown:
        session.error(f"Arguments after `--` must be among {', '.join(known)}. Received: {' '.join(unknown)}")
    extras = ",".join(["demo", *filter(None, [cupy_extra()]), *(set(session.posargs) - set(HEAVY))])
    session.install("-e", f".[{extras}]", *(HEAVY[name] for name in session.posargs if name in HEAVY))
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
    """Benchmarks without data files or a GPU, into their pages; `-- heavy overheads` runs only these."""
    session.install("-e", ".[demo,mpi]", *PEERS)
    for name in session.posargs or BENCHMARKS:
        session.run("python", "-m", f"benchmarks.{name}", "--write")
