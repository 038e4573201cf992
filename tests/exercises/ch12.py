"""Answers to the exercises of lesson 12."""

import contextlib
import io
import itertools
import math
import os
import pickle
import shutil
import tempfile
from pathlib import Path

import torch

NEEDED = ("model", "optimizer", "random", "epoch")


def by_loop(checkpoint):
    gone = []
    for name in ["epoch", "model", "optimizer", "random"]:
        if name not in checkpoint or checkpoint[name] is None:
            gone.append(name)
    return gone


def by_sets(checkpoint):
    return sorted(set(NEEDED) - {key for key in checkpoint if checkpoint[key] is not None})


def by_removing(checkpoint):
    gone = sorted(NEEDED)
    for key, value in checkpoint.items():
        if key in gone and value is not None:
            gone.remove(key)
    return gone


def by_filter(checkpoint):
    return sorted(filter(lambda key: isinstance(checkpoint.get(key), type(None)), NEEDED))


def by_equality(checkpoint):
    found = [key for key in NEEDED if key not in checkpoint or checkpoint[key] == None]  # noqa: E711
    found.sort()
    return found


def asked(lacks):
    """An answer that asks something else about each of the four."""
    return lambda checkpoint: sorted(key for key in NEEDED if lacks(checkpoint, key))


def zeros_are_nothing(checkpoint, key):
    value = checkpoint.get(key)
    return value is None or (isinstance(value, torch.Tensor) and not value.any())


def all_that_is_none(checkpoint):
    gone = [key for key in NEEDED if key not in checkpoint]
    return sorted(gone + [key for key, value in checkpoint.items() if value is None])


def only_what_is_none(checkpoint):
    return sorted(key for key in NEEDED if key in checkpoint and checkpoint[key] is None)


def stop_at_the_first(checkpoint):
    for key in sorted(NEEDED):
        if checkpoint.get(key) is None:
            return [key]
    return []


def put_none_in(checkpoint):
    for key in NEEDED:
        checkpoint.setdefault(key, None)
    return sorted(key for key in NEEDED if checkpoint[key] is None)


def take_out(checkpoint):
    return sorted(key for key in NEEDED if checkpoint.pop(key, None) is None)


def print_them(checkpoint):
    print(by_loop(checkpoint))


def by_is(a, b):
    return sorted(name for name, value in a.named_parameters() if any(value is other for other in b.parameters()))


def by_set_of_tensors(a, b):
    theirs = set(b.parameters())
    names = [name for name, value in a.named_parameters() if value in theirs]
    names.sort()
    return names


def by_address(a, b):
    theirs = [value.data_ptr() for value in b.parameters()]
    return sorted(name for name, value in a.named_parameters() if value.data_ptr() in theirs)


def by_dictionary(a, b):
    names = {value: name for name, value in a.named_parameters()}
    return sorted(names[value] for value in names.keys() & set(b.parameters()))


def by_modules(a, b):
    theirs = [value for module in b.modules() for value in module._parameters.values() if value is not None]
    found = []
    for path, module in a.named_modules():
        for name, value in module.named_parameters(recurse=False):
            if any(value is other for other in theirs):
                found.append(f"{path}.{name}".strip("."))
    return sorted(found)


def by_training(a, b):
    """Moves each parameter of a, looks whether one of b has followed, and moves it back."""
    found = []
    for name, value in a.named_parameters():
        before, theirs = value.detach().clone(), [other.detach().clone() for other in b.parameters()]
        with torch.no_grad():
            value.add_(1)
            moved = any(not torch.equal(*pair) for pair in zip(theirs, b.parameters(), strict=True))
            value.copy_(before)
        found += [name] * moved
    return sorted(found)


def related(same):
    """An answer that asks something else about two parameters."""

    def answer(a, b):
        return sorted(n for n, value in a.named_parameters() if any(same(value, other) for other in b.parameters()))

    return answer


def by_name(condition):
    """An answer that looks at parameters of the same name only."""

    def answer(a, b):
        theirs = dict(b.named_parameters())
        return sorted(n for n, value in a.named_parameters() if n in theirs and condition(value, theirs[n]))

    return answer


def nearly_equal(value, other):
    return value.shape == other.shape and value.dtype == other.dtype and value.allclose(other)


def in_list(a, b):
    theirs = list(b.parameters())
    return sorted(name for name, value in a.named_parameters() if value in theirs)


def by_state_dict(same):
    def answer(a, b):
        theirs = b.state_dict()
        return sorted(name for name, value in a.state_dict().items() if name in theirs and same(value, theirs[name]))

    return answer


def address_in_state_dict(a, b):
    theirs = {value.data_ptr() for value in b.state_dict().values()}
    return sorted(name for name, value in a.state_dict().items() if value.data_ptr() in theirs)


def ids_of_state_dict(a, b):
    ours, theirs = a.state_dict(), b.state_dict()
    ids = {id(value) for value in theirs.values()}
    return sorted(name for name, value in ours.items() if id(value) in ids)


def place_by_place(a, b):
    pairs = zip(a.named_parameters(), b.parameters(), strict=False)
    return sorted(name for (name, value), other in pairs if value is other)


def whole_modules(a, b):
    theirs = set(b.modules())
    return sorted(
        f"{path}.{name}".strip(".")
        for path, part in a.named_modules()
        if part in theirs
        for name, _ in part.named_parameters(recurse=False)
    )


def is_a_b(a, b):
    return sorted(name for name, _ in a.named_parameters()) if a is b else []


def if_all_are(a, b):
    names = by_is(a, b)
    return names if len(names) == len(list(a.parameters())) else []


def own_parameters_only(a, b):
    theirs = {id(value) for value in b.parameters()}
    return sorted(name for name, value in a.named_parameters(recurse=False) if id(value) in theirs)


def one_level_of_b(a, b):
    theirs = [value for part in (b, *b.children()) for value in part.parameters(recurse=False)]
    return sorted(name for name, value in a.named_parameters() if any(value is other for other in theirs))


def one_level_of_a(a, b):
    theirs = set(b.parameters())
    return [name for name in by_is(a, b) if name.count(".") < 2 and theirs]


def weights_and_biases(a, b):
    theirs = {
        id(value) for part in b.modules() for value in (getattr(part, "weight", None), getattr(part, "bias", None))
    }
    return sorted(name for name, value in a.named_parameters() if id(value) in theirs)


def with_buffers(a, b):
    theirs = {id(value) for value in (*b.parameters(), *b.buffers())}
    return sorted(name for name, value in (*a.named_parameters(), *a.named_buffers()) if id(value) in theirs)


def names_in_b(a, b):
    return by_is(b, a)


def only_last_part(a, b):
    return sorted(name.split(".")[-1] for name in by_is(a, b))


def expect_parameters(a, b):
    next(a.parameters())
    next(b.parameters())
    return by_is(a, b)


def expect_parameters_in_b(a, b):
    next(b.parameters())
    return by_is(a, b)


def zero_to_see(a, b):
    with torch.no_grad():
        for value in a.parameters():
            value.zero_()
    return sorted(
        name
        for name, value in a.named_parameters()
        if any(value.shape == other.shape and not other.any() for other in b.parameters())
    )


def as_it_comes(a, b):
    return [name for name, value in a.named_parameters() if any(value is other for other in b.parameters())]


def by_numbers_in_names(a, b):
    return sorted(by_is(a, b), key=lambda name: [int(part) if part.isdigit() else 0 for part in name.split(".")])


def in_memory_first(parts, path):
    data = b"".join(parts)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def with_flag(parts, path):
    new, whole = f"{path}.new", False
    try:
        with open(new, "wb") as file:
            file.writelines(parts)
        whole = True
    finally:
        if whole:
            os.replace(new, path)
        else:
            os.remove(new)


def with_tempfile(parts, path):
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            for part in parts:
                file.write(part)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def in_a_folder_of_its_own(parts, path):
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        new = Path(folder) / "new"
        with new.open("wb") as file:
            for part in parts:
                file.write(part)
        os.replace(new, path)


def with_exit_stack(parts, path):
    temporary = path.parent / ("." + path.name)
    with contextlib.ExitStack() as stack:
        stack.callback(temporary.unlink, missing_ok=True)
        with open(temporary, "wb", buffering=0) as file:
            for part in parts:
                file.write(part)
                os.fsync(file.fileno())
        os.replace(temporary, path)


def by_descriptor(parts, path):
    handle, name = tempfile.mkstemp(dir=path.absolute().parent)
    try:
        try:
            for part in parts:
                os.write(handle, part)
        finally:
            os.close(handle)
        os.replace(name, path)
    except:
        os.remove(name)
        raise


def straight(parts, path):
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)


def collect_then_straight(parts, path):
    path.write_bytes(b"".join(parts))


def append(parts, path):
    data = b"".join(parts)
    with open(path, "ab") as file:
        file.write(data)


def open_for_each(parts, path):
    for part in parts:
        path.write_bytes(part)


def straight_and_put_back(parts, path):
    old = path.read_bytes() if path.exists() else None
    try:
        straight(parts, path)
    except BaseException:
        if old is None:
            path.unlink()
        else:
            path.write_bytes(old)
        raise


def swapped(swap, errors=BaseException, again=True, write=None):
    """An answer that writes beside the file, with another way to put it in place, or to meet errors."""

    def answer(parts, path):
        temporary = path.with_name(path.name + ".part")
        try:
            with open(temporary, "wb") as file:
                for part in write(parts) if write else parts:
                    file.write(part)
            swap(temporary, path)
        except errors:
            temporary.unlink(missing_ok=True)
            if again:
                raise

    return answer


def remove_then_rename(temporary, path):
    if path.exists():
        path.unlink()
    temporary.rename(path)


def move_away_then_rename(temporary, path):
    backup = path.with_suffix(".old")
    if path.exists():
        path.rename(backup)
    temporary.rename(path)
    backup.unlink(missing_ok=True)


def copy_over(temporary, path):
    shutil.copyfile(temporary, path)
    temporary.unlink()


def write_again(temporary, path):
    path.write_bytes(temporary.read_bytes())
    temporary.unlink()


def keep_a_backup(temporary, path):
    if path.exists():
        shutil.copyfile(path, path.with_suffix(".bak"))
    os.replace(temporary, path)


def expect_an_old_file(temporary, path):
    shutil.copyfile(path, path.with_suffix(".bak"))
    os.replace(temporary, path)
    path.with_suffix(".bak").unlink()


def copy_and_forget(temporary, path):
    shutil.copyfile(temporary, path)


def no_swap(temporary, path):
    pass


def swap_the_wrong_way(temporary, path):
    os.replace(path, temporary)


def swap_inside_with(parts, path):
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def swap_in_finally(parts, path):
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)
    finally:
        os.replace(temporary, path)


def swap_what_there_is(parts, path):
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        try:
            for part in parts:
                file.write(part)
        except BaseException as caught:
            error = caught
        else:
            error = None
    os.replace(temporary, path)
    if error:
        raise error


def remove_and_raise(parts, path):
    try:
        swapped(os.replace)(parts, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def tidy_nothing(parts, path):
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        for part in parts:
            file.write(part)
    os.replace(temporary, path)


def another_error(parts, path):
    try:
        swapped(os.replace)(parts, path)
    except BaseException as error:
        raise OSError(f"could not be written: {error}") from error


def return_in_finally(parts, path):
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        return  # noqa: B012 (the point: it swallows the error)


def tidy_all(parts, path):
    swapped(os.replace)(parts, path)
    for other in path.parent.iterdir():
        if other.name != path.name:
            other.unlink()


def until_nothing(parts):
    """The pieces up to the first empty one."""
    return itertools.takewhile(bool, parts)


def as_text(parts, path):
    path.write_text("".join(part.decode() for part in parts))


def lines_only(parts):
    return (part.strip() for part in parts)


def only_the_first(parts):
    return itertools.islice(parts, 1)


def by_index(parts):
    return [parts[i] for i in range(len(parts))]


def copy_then_swap(temporary, path):
    shutil.copyfile(temporary, temporary.with_suffix(".x"))
    os.replace(temporary, path)


def in_a_generator(parts, path):
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        for part in parts:
            yield file.write(part)
    os.replace(temporary, path)


def readable(folder):
    for path in sorted(folder.glob("*.pt")):
        with contextlib.suppress(Exception):
            saved = torch.load(path, weights_only=True)
            if isinstance(saved, dict) and "epoch" in saved:
                yield path, saved


def by_sorting(folder):
    found = sorted((saved for _, saved in readable(folder)), key=lambda saved: saved["epoch"])
    return found[-1] if found else None


def by_best_so_far(folder):
    best = None
    for path in folder.iterdir():
        if path.suffix != ".pt":
            continue
        try:
            saved = torch.load(path, weights_only=True, map_location="cpu")
            epoch = saved["epoch"]
        except Exception:
            continue
        if best is None or epoch > best["epoch"]:
            best = saved
    return best


def by_epochs(folder):
    return (lambda epochs: epochs[max(epochs)] if epochs else None)({s["epoch"]: s for _, s in readable(folder)})


def by_default_and_bytes(folder):
    """torch's own default is weights_only=True."""
    newest = None, -math.inf
    for name in os.listdir(folder):
        if name.endswith(".pt"):
            try:
                saved = torch.load(io.BytesIO((folder / name).read_bytes()))
            except Exception:
                continue
            if type(saved) is dict and saved.get("epoch", -math.inf) > newest[1]:
                newest = saved, saved["epoch"]
    return newest[0]


def newest(pattern="*.pt", errors=Exception, weights_only=True, fits=None, key=None, default=None):
    """An answer that does something else in one place."""

    def answer(folder):
        found = []
        for path in folder.glob(pattern):
            try:
                saved = torch.load(path, weights_only=weights_only)
            except errors:
                continue
            if fits(saved) if fits else isinstance(saved, dict) and "epoch" in saved:
                found.append((path, saved))
        return max(found, key=key or (lambda pair: pair[1]["epoch"]), default=(None, default))[1]

    return answer


any_dictionary = newest(fits=lambda saved: isinstance(saved, dict), key=lambda pair: pair[1].get("epoch", 0))


def without_try(folder):
    found = [torch.load(path, weights_only=True) for path in folder.glob("*.pt")]
    return max((s for s in found if isinstance(s, dict) and "epoch" in s), key=lambda s: s["epoch"], default=None)


def around_the_loop(folder):
    found = []
    try:
        for path in sorted(folder.glob("*.pt")):
            saved = torch.load(path, weights_only=True)
            if isinstance(saved, dict) and "epoch" in saved:
                found.append(saved)
    except Exception:
        pass
    return max(found, key=lambda saved: saved["epoch"], default=None)


def from_inside(folder):
    """Goes into the folder, and stays there."""
    os.chdir(folder)
    return by_sorting(Path())


def newest_file_or_none(folder):
    path = max(folder.glob("*.pt"), key=lambda path: path.stat().st_mtime, default=None)
    with contextlib.suppress(Exception):
        return torch.load(path, weights_only=True)


def first_that_fits(folder):
    return next((saved for _, saved in readable(folder)), None)


def give_up_at_the_first(folder):
    for path in folder.glob("*.pt"):
        try:
            saved = torch.load(path, weights_only=True)
        except Exception:
            return None
        if not isinstance(saved, dict) or "epoch" not in saved:
            return None
    return by_sorting(folder)


def remove_what_is_damaged(folder):
    for path in folder.glob("*.pt"):
        try:
            torch.load(path, weights_only=True)
        except Exception:
            path.unlink()
    return by_sorting(folder)


def keep_only_the_newest(folder):
    found = sorted(readable(folder), key=lambda pair: pair[1]["epoch"])
    for path, _ in found[:-1]:
        path.unlink()
    return found[-1][1] if found else None


def when_safe_fails(folder):
    """Tries it safely, and when that fails, unsafely."""
    found = []
    for path in folder.glob("*.pt"):
        try:
            saved = torch.load(path, weights_only=True)
        except Exception:
            try:
                saved = torch.load(path, weights_only=False)
            except Exception:
                continue
        if isinstance(saved, dict) and "epoch" in saved:
            found.append(saved)
    return max(found, key=lambda saved: saved["epoch"], default=None)


def with_zero_as_none(folder):
    best, largest = None, 0
    for _, saved in readable(folder):
        if saved["epoch"] > largest:
            best, largest = saved, saved["epoch"]
    return best


def part_of(take):
    """An answer that returns something else of the pair of path and dictionary."""

    def answer(folder):
        found = max(readable(folder), key=lambda pair: pair[1]["epoch"], default=None)
        return found and take(*found)

    return answer


def flatten(value, place=""):
    if isinstance(value, dict | list):
        found = {place: type(value)}
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found |= flatten(inner, f"{place}.{key}" if place else str(key))
        return found
    return {place: value}


def by_flattening(a, b):
    a, b, found = flatten(a), flatten(b), []
    for place in sorted(a.keys() | b.keys(), key=lambda place: (place.count("."), place)):
        above = any(place.startswith(f"{other}.") or not other for other in found)
        if not above and (place not in a or place not in b or not equal(a[place], b[place])):
            found.append(place)
    return sorted(found)


def equal(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())
    return a == b


def with_a_stack(a, b):
    found, left = [], [((), a, b)]
    while left:
        way, x, y = left.pop()
        if type(x) is not type(y):
            found.append(way)
        elif isinstance(x, dict):
            found += [(*way, key) for key in x.keys() ^ y.keys()]
            left += [((*way, key), x[key], y[key]) for key in x.keys() & y.keys()]
        elif isinstance(x, list):
            found += [(*way, i) for i in range(min(len(x), len(y)), max(len(x), len(y)))]
            left += [((*way, i), *pair) for i, pair in enumerate(zip(x, y, strict=False))]
        elif not equal(x, y):
            found.append(way)
    return sorted(".".join(str(key) for key in way) for way in found)


def with_zip_longest(a, b, place=""):
    """A thing that is not there is an object of its own."""
    if isinstance(a, list) and isinstance(b, list):
        pairs = [(i, *pair) for i, pair in enumerate(itertools.zip_longest(a, b, fillvalue=NOTHING))]
    elif isinstance(a, dict) and isinstance(b, dict):
        pairs = [(key, a.get(key, NOTHING), b.get(key, NOTHING)) for key in {**a, **b}]
    else:
        return [] if equal(a, b) else [place]
    return sorted(p for key, x, y in pairs for p in with_zip_longest(x, y, f"{place}.{key}".lstrip(".")))


NOTHING = object()


def by_bytes(a, b, way=()):
    """Leaves are compared as pickles."""
    if type(a) is type(b) and isinstance(a, dict | list):
        a, b = (dict(enumerate(x)) if isinstance(x, list) else x for x in (a, b))
        found = []
        for key in sorted({*a, *b}, key=str):
            if key in a and key in b:
                found.extend(by_bytes(a[key], b[key], [*way, str(key)]))
            else:
                found.append(".".join([*way, str(key)]))
        return sorted(found)
    kinds = (type(a), a.dtype, a.shape, a.tolist()) if isinstance(a, torch.Tensor) else (type(a), a)
    others = (type(b), b.dtype, b.shape, b.tolist()) if isinstance(b, torch.Tensor) else (type(b), b)
    return [] if pickle.dumps(kinds) == pickle.dumps(others) or kinds == others else [".".join(way)]


def compared(
    tensors=lambda a, b: a.dtype == b.dtype and torch.equal(a, b),
    values=lambda a, b: a == b,
    kind=lambda a, b: type(a) is type(b),
    keys=lambda a, b: a.keys() | b.keys(),
    pairs=lambda a: dict(enumerate(a)),
    join=lambda place, key: f"{place}.{key}" if place else str(key),
    alone=lambda inner, value: [inner],
    inside=lambda a, b, key: key in a and key in b,
):
    """The solution's way, with something else in one place."""

    def answer(a, b, place=""):
        if not kind(a, b):
            return [place]
        if isinstance(a, torch.Tensor):
            return [] if tensors(a, b) else [place]
        if isinstance(a, list):
            a, b = pairs(a), pairs(b)
        if not isinstance(a, dict):
            return [] if values(a, b) else [place]
        found = []
        for key in keys(a, b):
            inner = join(place, key)
            found += (
                answer(a.get(key), b.get(key), inner) if inside(a, b, key) else alone(inner, a.get(key, b.get(key)))
            )
        return sorted(found)

    return answer


SOLVED = compared()


def equal_sums(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and bool(a.sum() == b.sum())


def equal_when_flat(a, b):
    return a.dtype == b.dtype and torch.equal(a.flatten(), b.flatten())


def equal_with_as_many_axes(a, b):
    return a.dtype == b.dtype and a.dim() == b.dim() and bool((a == b).all())


def equal_floats(a, b):
    return a.is_floating_point() == b.is_floating_point() and torch.equal(a.double(), b.double())


def close_numbers(a, b):
    return a == b or (isinstance(a, float) and math.isclose(a, b))


def with_brackets(place, key):
    return f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")


def zipped(a, b, place=""):
    if isinstance(a, list) and isinstance(b, list):
        pairs = enumerate(zip(a, b, strict=False))
        return sorted(p for i, (x, y) in pairs for p in zipped(x, y, f"{place}.{i}".lstrip(".")))
    if isinstance(a, dict) and isinstance(b, dict):
        found = [f"{place}.{key}".lstrip(".") for key in a.keys() ^ b.keys()]
        for key in a.keys() & b.keys():
            found += zipped(a[key], b[key], f"{place}.{key}".lstrip("."))
        return sorted(found)
    return SOLVED(a, b, place)


def strict_lists(a, b, place=""):
    """A list of another length is a difference as a whole."""
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return [place]
        pairs = enumerate(zip(a, b, strict=True))
        return sorted(p for i, (x, y) in pairs for p in strict_lists(x, y, f"{place}.{i}".lstrip(".")))
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return sorted(p for key in a for p in strict_lists(a[key], b[key], f"{place}.{key}".lstrip(".")))
    return SOLVED(a, b, place)


def one_list_for_all(a, b, place="", found=[]):  # noqa: B006
    found += SOLVED(a, b, place)
    return sorted(found)


def whole_lists(a, b, place=""):
    if isinstance(a, list) and isinstance(b, list):
        return [] if not SOLVED(a, b) else [place]
    if isinstance(a, dict) and isinstance(b, dict):
        found = [f"{place}.{key}".lstrip(".") for key in a.keys() ^ b.keys()]
        for key in a.keys() & b.keys():
            found += whole_lists(a[key], b[key], f"{place}.{key}".lstrip("."))
        return sorted(found)
    return SOLVED(a, b, place)


def items_in_order(a, b, place=""):
    if isinstance(a, dict) and isinstance(b, dict) and len(a) == len(b):
        found = []
        for (key, x), (other, y) in zip(a.items(), b.items(), strict=True):
            found += [key, other] if key != other else items_in_order(x, y, f"{place}.{key}".lstrip("."))
        return sorted(found)
    return SOLVED(a, b, place)


def as_dictionaries(a, b, place=""):
    a, b = (dict(enumerate(value)) if isinstance(value, list) else value for value in (a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        found = [f"{place}.{key}".lstrip(".") for key in a.keys() ^ b.keys()]
        return sorted(
            found + [p for k in a.keys() & b.keys() for p in as_dictionaries(a[k], b[k], f"{place}.{k}".lstrip("."))]
        )
    return SOLVED(a, b, place)


def none_as_zero(a, b, place=""):
    if isinstance(a, int | None) and isinstance(b, int | None):
        return SOLVED(a or 0, b or 0, place)
    return SOLVED(a, b, place)


def empty_is_empty(a, b):
    return [] if isinstance(a, dict | list) and isinstance(b, dict | list) and not a and not b else SOLVED(a, b)


def plain_equality(a, b):
    if a == b:
        return []
    return SOLVED(a, b)


def sort_them_first(a, b):
    for value in (a, b):
        if isinstance(value, list):
            value.sort(key=str)
    return SOLVED(a, b)


def drop_what_is_the_same(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in list(a):
            if key in b and not SOLVED(a[key], b[key]):
                del a[key], b[key]
    return SOLVED(a, b)


def one_level(a, b):
    return sorted({place.split(".")[0] for place in SOLVED(a, b)})


def leaves_only(value, place=""):
    if isinstance(value, dict | list):
        found = {}
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found |= leaves_only(inner, f"{place}.{key}" if place else str(key))
        return found
    return {place: value}


def by_leaves(a, b):
    a, b = leaves_only(a), leaves_only(b)
    return sorted(p for p in a.keys() | b.keys() if p not in a or p not in b or not equal(a[p], b[p]))


def all_below(inner, value):
    return [".".join(filter(None, [inner, place])) for place in leaves_only(value)] or [inner]


def not_joined(a, b, place=""):
    """Calls itself, and forgets what comes back."""
    if isinstance(a, dict) and isinstance(b, dict):
        found = [f"{place}.{key}".lstrip(".") for key in a.keys() ^ b.keys()]
        for key in a.keys() & b.keys():
            inner = f"{place}.{key}".lstrip(".")
            if isinstance(a[key], dict) and isinstance(b[key], dict):
                not_joined(a[key], b[key], inner)
            else:
                found += SOLVED(a[key], b[key], inner)
        return sorted(found)
    return SOLVED(a, b, place)


def not_sorted(a, b):
    places = SOLVED(a, b)
    return places[::-1]


def by_number(a, b):
    return sorted(
        SOLVED(a, b), key=lambda place: [(not p.isdigit(), int(p) if p.isdigit() else p) for p in place.split(".")]
    )


def missing_is_none(a, b):
    return (
        SOLVED(a, b) if not isinstance(a, dict) or not isinstance(b, dict) else compared(inside=lambda *_: True)(a, b)
    )


def too_deep(a, b):
    """Goes three levels down."""
    return sorted({".".join(place.split(".")[:4]) for place in SOLVED(a, b)})


RIGHT = {
    "12.1": [by_loop, by_sets, by_removing, by_filter, by_equality],
    "12.2": [
        by_is,
        by_set_of_tensors,
        by_address,
        by_dictionary,
        by_modules,
        by_training,
        related(torch.Tensor.is_set_to),
    ],
    "12.3": [in_memory_first, with_flag, with_tempfile, in_a_folder_of_its_own, with_exit_stack, by_descriptor],
    "12.4": [by_sorting, by_best_so_far, by_epochs, by_default_and_bytes, from_inside],
    "12.5": [by_flattening, with_a_stack, with_zip_longest, by_bytes],
}
WRONG = {
    "12.1": [
        ("what is there is returned", asked(lambda c, key: c.get(key) is not None), "whole"),
        ("all four are returned", lambda checkpoint: sorted(NEEDED), "whole"),
        ("what is there is None", only_what_is_none, "lacking"),
        ("nothing ever lacks", lambda checkpoint: [], "lacking"),
        ("each key is there", asked(lambda c, key: c[key] is None), "lacking"),
        ("a run is a model and an optimizer", lambda c: sorted(k for k in NEEDED[:2] if c.get(k) is None), "lacking"),
        ("zero is nothing", asked(lambda c, key: not c.get(key)), "zero"),
        ("an epoch is a number, and 0 is none", asked(lambda c, key: c.get(key) in (None, 0)), "zero"),
        ("an epoch begins at 1", asked(lambda c, key: c.get(key) is None or (key == "epoch" and c[key] < 1)), "zero"),
        ("a key is enough", asked(lambda c, key: key not in c), "None"),
        ("keys are a set", lambda checkpoint: sorted(set(NEEDED) - checkpoint.keys()), "None"),
        ("None is a default only", asked(lambda c, key: c.get(key, "") == ""), "None"),
        ("an empty dictionary is nothing", asked(lambda c, key: c.get(key) is None or c[key] == {}), "empty"),
        ("what has a length has to be long", asked(lambda c, k: not c.get(k) and c.get(k) != 0), "empty"),
        ("tensors can be asked with or", asked(lambda c, k: not (c.get(k) == 0 or c.get(k) == {} or c.get(k))), "tensor"),
        ("a tensor of zeros is nothing", asked(zeros_are_nothing), "tensor"),
        ("each None counts", all_that_is_none, "others"),
        ("a checkpoint has just these keys", lambda c: by_loop(c) + sorted(c.keys() - set(NEEDED)), "others"),
        ("the order is that of the task", lambda c: [key for key in NEEDED if c.get(key) is None], "sorted"),
        ("the first one is enough", stop_at_the_first, "sorted"),
        ("the order is the other way round", lambda c: by_loop(c)[::-1], "sorted"),
        ("a set is returned", lambda c: set(by_loop(c)), "type"),
        ("a tuple is returned", lambda c: tuple(by_loop(c)), "type"),
        ("a text is returned", lambda c: ", ".join(by_loop(c)), "type"),
        ("it counts", lambda c: len(by_loop(c)), "type"),
        ("a generator is returned", lambda c: (key for key in by_loop(c)), "type"),
        ("it prints", print_them, "no return"),
        ("what lacks is put in", put_none_in, "changed input"),
        ("what is there is taken out", take_out, "changed input"),
    ],
    "12.2": [
        ("state_dict gives the parameters", by_state_dict(lambda value, other: value is other), "same"),
        ("ids of a state_dict last", ids_of_state_dict, "same"),
        ("data is one object", by_name(lambda value, other: value.data is other.data), "same"),
        ("modules share by themselves", lambda a, b: [], "same"),
        ("the same name is enough", by_name(lambda value, other: True), "names"),
        ("the same shape is enough", related(lambda value, other: value.shape == other.shape), "names"),
        ("all names of a", lambda a, b: sorted(name for name, _ in a.named_parameters()), "names"),
        ("equal is the same", related(torch.equal), "equal"),
        ("equal numbers under the same name", by_name(torch.equal), "equal"),
        ("== can tell", related(lambda value, other: bool((value == other).all())), "equal"),
        ("nearly equal is the same", related(nearly_equal), "equal"),
        ("equal in the state_dict", by_state_dict(torch.equal), "equal"),
        ("a list can be asked with in", in_list, "equal"),
        ("the same object has the same name", by_name(lambda value, other: value is other), "any name"),
        ("the same address has the same name", by_name(lambda v, other: v.data_ptr() == other.data_ptr()), "any name"),
        ("the place is the same", place_by_place, "any name"),
        ("b's names are returned", names_in_b, "any name"),
        ("a is b", is_a_b, "any name"),
        ("the last part of a name is enough", only_last_part, "any name"),
        ("parameters are called weight or bias", weights_and_biases, "any name"),
        ("modules share as a whole", whole_modules, "any name"),
        ("all or none", if_all_are, "each"),
        ("a frozen parameter is none", related(lambda value, other: value is other and value.requires_grad), "frozen"),
        ("what is saved is a parameter", address_in_state_dict, "buffers"),
        ("buffers are parameters", with_buffers, "buffers"),
        ("there are always parameters", expect_parameters, "none"),
        ("there are always parameters in b", expect_parameters_in_b, "none"),
        ("only a's own", own_parameters_only, "any name"),
        ("b holds no modules of modules", one_level_of_b, "inside"),
        ("a holds no modules of modules", one_level_of_a, "inside"),
        ("the order is that of a", as_it_comes, "sorted"),
        ("numbers in names are numbers", by_numbers_in_names, "sorted"),
        ("it tries it out", zero_to_see, "changed input"),
        ("a set is returned", lambda a, b: set(by_is(a, b)), "type"),
        ("a tuple is returned", lambda a, b: tuple(by_is(a, b)), "type"),
        ("it says whether", lambda a, b: bool(by_is(a, b)), "type"),
        ("parameters are returned", lambda a, b: list(set(a.parameters()) & set(b.parameters())), "type"),
        ("pairs are returned", lambda a, b: [(n, v) for n, v in a.named_parameters() if n in by_is(a, b)], "type"),
        ("it prints", lambda a, b: print(by_is(a, b)), "no return"),
    ],
    "12.3": [
        ("nothing is written", lambda parts, path: None, "pieces"),
        ("writing is giving", in_a_generator, "pieces"),
        ("it writes behind the old file", append, "pieces"),
        ("each piece is a file", open_for_each, "beside"),
        ("the temporary file is never swapped in", swapped(no_swap), "pieces"),
        ("the old file is swapped in", swapped(swap_the_wrong_way), "pieces"),
        ("one piece is all", swapped(os.replace, write=only_the_first), "pieces"),
        ("an empty piece is the end", swapped(os.replace, write=until_nothing), "pieces"),
        ("pieces are lines", swapped(os.replace, write=lines_only), "pieces"),
        ("pieces are texts", as_text, "swap"),
        ("bytes are written as text", lambda parts, path: path.write_text("".join(parts)), "raised"),
        ("an iterator has a length", swapped(os.replace, write=by_index), "raised"),
        ("there is always an old file", swapped(expect_an_old_file), "first time"),
        ("it writes straight into the file", straight, "beside"),
        ("it writes straight, and puts the old one back", straight_and_put_back, "beside"),
        ("it collects, then writes straight", collect_then_straight, "swap"),
        ("it copies over the file", swapped(copy_over), "swap"),
        ("it writes all again", swapped(write_again), "swap"),
        ("a copy is a swap", swapped(copy_and_forget), "swap"),
        ("it swaps before it closes", swap_inside_with, "swap"),
        ("the old file has to go first", swapped(remove_then_rename), "gap"),
        ("the old file is moved away first", swapped(move_away_then_rename), "gap"),
        ("an error is over when it is caught", swapped(os.replace, again=False), "passed on"),
        ("finally may return", return_in_finally, "passed on"),
        ("the error gets another name", another_error, "passed on"),
        ("only OSError is raised", swapped(os.replace, errors=OSError), "leftover"),
        ("what there is is swapped in", swap_in_finally, "as it was"),
        ("first swapped, then raised", swap_what_there_is, "as it was"),
        ("the file is removed, too", remove_and_raise, "as it was"),
        ("nobody tidies up", tidy_nothing, "leftover"),
        ("a backup stays", swapped(keep_a_backup), "leftover"),
        ("a temporary file may stay", swapped(copy_then_swap), "leftover"),
        ("an interrupt is an Exception", swapped(os.replace, errors=Exception), "interrupt"),
        ("all other files go", tidy_all, "others"),
    ],
    "12.4": [
        ("there is always a file", lambda folder: max(list(readable(folder)), key=lambda p: p[1]["epoch"])[1], "raised"),
        ("nothing is an empty dictionary", newest(default={}), "none"),
        ("nothing is an error", lambda folder: by_sorting(folder) or {}["none"], "raised"),
        ("nothing is -1", newest(default=-1), "none"),
        ("nothing is returned", lambda folder: None, "read"),
        ("an empty dictionary is returned", lambda folder: by_sorting(folder) and {}, "read"),
        ("only the model is returned", part_of(lambda path, saved: {"model": saved.get("model")}), "read"),
        ("the name is returned", part_of(lambda path, saved: path), "type"),
        ("the epoch is returned", part_of(lambda path, saved: saved["epoch"]), "type"),
        ("both are returned", part_of(lambda path, saved: (path, saved)), "type"),
        ("an epoch of 0 is none", newest(fits=lambda saved: isinstance(saved, dict) and saved.get("epoch")), "zero"),
        ("it begins with 0", with_zero_as_none, "zero"),
        ("the smallest epoch", newest(key=lambda pair: -pair[1]["epoch"]), "epoch"),
        ("the first file is the newest", first_that_fits, "epoch"),
        ("the newest file is the newest", newest_file_or_none, "epoch"),
        ("the time decides", newest(key=lambda pair: pair[0].stat().st_mtime), "epoch"),
        ("the oldest file is the newest", newest(key=lambda pair: -pair[0].stat().st_mtime), "epoch"),
        ("the size decides", newest(key=lambda pair: (pair[0].stat().st_size, pair[1]["epoch"])), "epoch"),
        ("the name decides", newest(key=lambda pair: pair[0].name), "epoch"),
        ("epochs are texts", newest(key=lambda pair: str(pair[1]["epoch"])), "number"),
        ("every file counts", newest("*"), "only pt"),
        ("what follows .pt does not matter", newest("*.pt*"), "only pt"),
        ("it trusts each file", newest(weights_only=False), "weights_only"),
        ("what it cannot read it trusts", when_safe_fails, "weights_only"),
        ("all can be read", without_try, "refused"),
        ("only missing files are an error", newest(errors=OSError), "refused"),
        ("only UnpicklingError is raised", newest(errors=pickle.UnpicklingError), "damaged"),
        ("only RuntimeError is raised", newest(errors=(pickle.UnpicklingError, RuntimeError)), "damaged"),
        ("an error ends it all", around_the_loop, "damaged"),
        ("one bad file spoils all", give_up_at_the_first, "refused"),
        ("each dictionary has an epoch", newest(fits=lambda saved: isinstance(saved, dict)), "key"),
        ("each dictionary has an epoch, maybe 0", any_dictionary, "key"),
        ("all are dictionaries", newest(fits=lambda saved: "epoch" in saved), "dictionary"),
        ("all have get", newest(fits=lambda saved: saved.get("epoch") is not None), "dictionary"),
        ("what is damaged goes", remove_what_is_damaged, "left alone"),
        ("what is old goes", keep_only_the_newest, "left alone"),
    ],
    "12.5": [
        ("nothing differs", lambda a, b: [], "values"),
        ("all differs", lambda a, b: [""], "values"),
        ("it says whether", lambda a, b: bool(SOLVED(a, b)), "type"),
        ("the same things are listed", compared(values=lambda a, b: a != b), "values"),
        ("a text is returned", lambda a, b: ", ".join(SOLVED(a, b)), "type"),
        ("the place is always a key", lambda a, b: [place for place in SOLVED(a, b) if place], "values"),
        ("a list as a default is new each time", one_list_for_all, "again"),
        ("numbers can be texts", compared(kind=lambda a, b: True, values=lambda a, b: str(a) == str(b)), "kind"),
        ("the kind is not looked at", compared(kind=lambda a, b: True), "kind"),
        ("None is 0", none_as_zero, "kind"),
        ("only b's keys", compared(keys=lambda a, b: list(b)), "one side"),
        ("only a's keys", compared(keys=lambda a, b: list(a)), "one side"),
        ("only keys of both", compared(keys=lambda a, b: a.keys() & b.keys()), "one side"),
        ("only keys that one has", compared(keys=lambda a, b: a.keys() ^ b.keys()), "keys"),
        ("each key is in both", compared(inside=lambda a, b, key: b[key] is b[key]), "one side"),
        ("no key is None", compared(inside=lambda *_: True), "None"),
        ("keys stand in the same order", items_in_order, "order"),
        ("the places begin with 1", compared(pairs=lambda a: dict(enumerate(a, 1))), "positions"),
        ("a list is a value", whole_lists, "positions"),
        ("a list is a set", compared(pairs=lambda a: {value: value for value in a}), "positions"),
        ("zip goes to the end", zipped, "length"),
        ("another length is another list", strict_lists, "length"),
        ("== compares tensors", compared(tensors=lambda a, b: bool(a == b)), "tensors"),
        ("one equal number is enough", compared(tensors=lambda a, b: bool((a == b).any())), "tensors"),
        ("the sum is enough", compared(tensors=equal_sums), "tensors"),
        ("the shape is enough", compared(tensors=lambda a, b: a.shape == b.shape and a.dtype == b.dtype), "tensors"),
        ("the same tensor is the same object", compared(tensors=lambda a, b: a is b), "tensors"),
        ("all of == is enough", compared(tensors=lambda a, b: a.dtype == b.dtype and bool((a == b).all())), "shape"),
        ("as many numbers are the same shape", compared(tensors=equal_when_flat), "shape"),
        ("as many axes are the same shape", compared(tensors=equal_with_as_many_axes), "shape"),
        ("lists of numbers are enough", compared(tensors=lambda a, b: a.tolist() == b.tolist()), "dtype"),
        ("torch.equal looks at dtypes", compared(tensors=lambda a, b: torch.equal(a.double(), b.double())), "dtype"),
        ("floats are floats", compared(tensors=equal_floats), "dtype"),
        ("nearly is equal", compared(tensors=nearly_equal), "exact"),
        ("numbers are nearly equal", compared(values=close_numbers), "exact"),
        ("a list is a dictionary", as_dictionaries, "kind"),
        ("only what is at the end of a way is compared", by_leaves, "kind"),
        ("what is empty is the same", empty_is_empty, "empty"),
        ("lists and dictionaries compare by ==", plain_equality, "tensors"),
        ("all is compared by ==", lambda a, b: SOLVED(a, b) if not isinstance(a, dict) or a != b else [], "inside"),
        ("the last key is the place", compared(join=lambda place, key: str(key)), "place"),
        ("a dot in front", compared(join=lambda place, key: f"{place}.{key}"), "keys"),
        ("a dot behind", compared(join=lambda place, key: f"{place}{key}."), "keys"),
        ("a slash between", compared(join=lambda place, key: f"{place}/{key}".lstrip("/")), "place"),
        ("brackets for lists", compared(join=with_brackets), "positions"),
        ("no dot at all", compared(join=lambda place, key: f"{place}{key}"), "place"),
        ("from the inside out", compared(join=lambda place, key: f"{key}.{place}" if place else str(key)), "place"),
        ("one level is enough", one_level, "place"),
        ("four levels are enough", too_deep, "place"),
        ("what comes back is forgotten", not_joined, "place"),
        ("all that is below is listed", compared(alone=all_below), "below"),
        ("the first one is enough", lambda a, b: SOLVED(a, b)[:1], "all"),
        ("the order is the other way round", not_sorted, "all"),
        ("numbers in places are numbers", by_number, "sorted"),
        ("a set is returned", lambda a, b: set(SOLVED(a, b)), "type"),
        ("a tuple is returned", lambda a, b: tuple(SOLVED(a, b)), "type"),
        ("equal is None", lambda a, b: SOLVED(a, b) or None, "no return"),
        ("lists are sorted first", sort_them_first, "changed input"),
        ("what is the same goes", drop_what_is_the_same, "changed input"),
    ],
}  # fmt: skip
MADE_LISTS = "a, b = (dict(enumerate(a)), dict(enumerate(b))) -> "
CALL = "found += different(a[key], b[key], inner) if key in a and key in b else [inner] -> "
BOTH_WAYS = "the difference of a and b is that of b and a"
EQUIVALENT = {
    "12.1": {
        f"needed = {NEEDED} -> needed = {NEEDED[::-1]}": "they are sorted at the end",
    },
    "12.3": {
        "file.flush() -> pass": "the file is closed before it is swapped in; only a power cut shows what fsync is for",
        "os.fsync(file.fileno()) -> pass": "no check can cut the power",
        "temporary = path.with_name(path.name + '.part') -> temporary = path.with_name(path.name + '.part?')": (
            "any name will do, on this system"
        ),
        "temporary.unlink(missing_ok=True) -> temporary.unlink()": "it is there, once it could be opened",
        "temporary.unlink(missing_ok=True) -> temporary.unlink(missing_ok=False)": "it is there, once it could be opened",
    },
    "12.4": {
        "saved = torch.load(path, weights_only=True) -> saved = torch.load(path)": "the default, since torch 2.6",
    },
    "12.5": {
        MADE_LISTS + "b, a = (dict(enumerate(a)), dict(enumerate(b)))": BOTH_WAYS,
        MADE_LISTS + "a, b = (dict(enumerate(b)), dict(enumerate(a)))": BOTH_WAYS,
        CALL + "found += different(b[key], a[key], inner) if key in a and key in b else [inner]": BOTH_WAYS,
        "return [] if a.dtype == b.dtype and torch.equal(a, b) else [place] -> "
        "return [] if a.dtype == b.dtype and torch.equal(b, a) else [place]": BOTH_WAYS,
    },
}
