"""Fields that are set once, because other systems store their values."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from config.kernel.database import one_or_none


class ImmutableFieldsMixin(models.Model):
    """A model whose ``IMMUTABLE`` fields can't be changed once they are stored."""

    IMMUTABLE: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    def refuse_changes(self) -> None:
        """Compare with the stored row; call it from ``clean``.

        Raises:
            ValidationError: a field that is set once would change.

        """
        stored = one_or_none(type(self)._default_manager.filter(pk=self.pk))
        changed = [
            name
            for name in self.IMMUTABLE
            if stored is not None and getattr(stored, name) != getattr(self, name)
        ]
        if changed:
            raise ValidationError(dict.fromkeys(changed, _("This can't be changed.")))
