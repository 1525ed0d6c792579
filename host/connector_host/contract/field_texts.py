"""What the docstrings below the fields of a model say.

Pydantic can collect them too, but reads the source of every model when it is imported; they are wanted only in messages
and in the JSON Schema.
"""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel

__all__ = ["field_texts"]


@cache
def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Return the text of each field that has one, by the field's key in YAML."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            texts |= _texts_in(base)
    keys = {name: field.alias or name for name, field in model.model_fields.items()}
    return {keys[name]: text for name, text in texts.items() if name in keys}


def _texts_in(model: type[BaseModel]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    found = {}
    for field, below in pairwise(tree.body if isinstance(tree, ast.ClassDef) else ()):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found
