"""scipy.spatial: rotations, rigid transforms and distances."""

from __future__ import annotations

import numpy as np
from scipy.spatial import distance
from scipy.spatial.transform import RigidTransform, Rotation, Slerp, _rigid_transform

from tests.third_party.gradients import Cases, like, namespace


def rotation(x):
    return Rotation.from_rotvec(x[:, :3])


def rigid(x):
    return RigidTransform.from_components(x[:, 2:5], rotation(x))


def matrix(x):
    """An exact rotation matrix that depends on x."""
    return rotation(x).as_matrix()


ROTATION: Cases = {
    "from_quat": lambda x: Rotation.from_quat(x[:, :4]).as_quat(),
    "from_rotvec": lambda x: Rotation.from_rotvec(x[:, :3]).as_quat(),
    "from_rotvec in degrees": lambda x: Rotation.from_rotvec(x[:, :3] * 50, degrees=True).as_quat(),
    "from_matrix": lambda x: Rotation.from_matrix(matrix(x)).as_quat(),
    "from_euler": lambda x: Rotation.from_euler("xyz", x[:, :3]).as_quat(),
    "from_euler (intrinsic)": lambda x: Rotation.from_euler("ZYX", x[:, :3]).as_quat(),
    "from_davenport": lambda x: Rotation.from_davenport(like(x, np.eye(3)), "extrinsic", x[:, :3]).as_quat(),
    "from_mrp": lambda x: Rotation.from_mrp(x[:, :3] / 9).as_quat(),
    "as_matrix": lambda x: rotation(x).as_matrix(),
    "as_rotvec": lambda x: Rotation.from_quat(x[:, :4]).as_rotvec(),
    "as_euler": lambda x: rotation(x).as_euler("xyz"),
    "as_davenport": lambda x: rotation(x).as_davenport(like(x, np.eye(3)), "extrinsic"),
    "as_mrp": lambda x: rotation(x).as_mrp(),
    "apply": lambda x: rotation(x).apply(x[:, 1:4]),
    "apply (inverse)": lambda x: rotation(x).apply(x[:, 1:4], inverse=True),
    "__mul__": lambda x: (rotation(x) * rotation(x**2)).as_quat(),
    "__pow__": lambda x: (rotation(x) ** 0.5).as_quat(),
    "__getitem__": lambda x: rotation(x)[1:3].as_quat(),
    "inv": lambda x: rotation(x).inv().as_quat(),
    "magnitude": lambda x: rotation(x).magnitude(),
    "mean": lambda x: rotation(x / 3).mean().as_quat(),
    "concatenate": lambda x: Rotation.concatenate([rotation(x), rotation(x**2)]).as_quat(),
    "reduce": lambda x: rotation(x / 3).reduce().as_quat(),
    "align_vectors": lambda x: Rotation.align_vectors(x[:, :3], x[:, 2:5] ** 2)[0].as_quat(),
}
RIGID: Cases = {
    "from_translation": lambda x: RigidTransform.from_translation(x[:, :3]).as_matrix(),
    "from_rotation": lambda x: RigidTransform.from_rotation(rotation(x)).as_matrix(),
    "from_components": lambda x: rigid(x).as_matrix(),
    "from_matrix": lambda x: RigidTransform.from_matrix(rigid(x).as_matrix()).as_matrix(),
    "from_exp_coords": lambda x: RigidTransform.from_exp_coords(six(x)).as_matrix(),
    "from_dual_quat": lambda x: RigidTransform.from_dual_quat(rigid(x).as_dual_quat()).as_matrix(),
    "as_exp_coords": lambda x: rigid(x).as_exp_coords(),
    "as_dual_quat": lambda x: rigid(x).as_dual_quat(),
    "as_components": lambda x: rigid(x).as_components()[0],
    "apply": lambda x: rigid(x).apply(x[:, 1:4]),
    "apply (inverse)": lambda x: rigid(x).apply(x[:, 1:4], inverse=True),
    "__mul__": lambda x: (rigid(x) * rigid(x**2)).as_matrix(),
    "__pow__": lambda x: (rigid(x) ** 0.5).as_matrix(),
    "__getitem__": lambda x: rigid(x)[1:3].as_matrix(),
    "inv": lambda x: rigid(x).inv().as_matrix(),
    "mean": lambda x: rigid(x / 3).mean().as_matrix(),
    "concatenate": lambda x: RigidTransform.concatenate([rigid(x), rigid(x**2)]).as_matrix(),
}


def six(x):
    return namespace(x).concat((x, x[:, :1] ** 2), axis=1)


CASES: Cases = {
    **{f"transform.Rotation.{name}": f for name, f in ROTATION.items()},
    **{f"transform.RigidTransform.{name}": f for name, f in RIGID.items()},
    "transform.Slerp": lambda x: Slerp(like(x, [0.0, 1.0, 2.0, 3.0]), rotation(x))(like(x, [0.5, 2.2])).as_quat(),
    "transform.normalize_dual_quaternion": lambda x: _rigid_transform.normalize_dual_quaternion(
        namespace(x).concat((x, x[:, :3] ** 2), axis=1)
    ),
    "distance.cdist": lambda x: distance.cdist(x, x**2),
    "distance.pdist": lambda x: distance.pdist(x),
    "distance.euclidean": lambda x: distance.euclidean(x[0, :], x[1, :]),
}
