"""How our own serializer fields appear in the OpenAPI schema."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension


# The library types its methods, but not the registration of subclasses: hence the ignore.
class StrictTextFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A string with its bounds and, where there is one, its pattern."""

    target_class = "config.kernel.fields.StrictTextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        field = self.target
        schema: dict[str, Any] = {"type": "string", "maxLength": field.max_length}
        if not field.allow_empty:
            schema["minLength"] = 1
        if field.published_pattern:
            schema["pattern"] = f"^{field.published_pattern}$"
        return schema
