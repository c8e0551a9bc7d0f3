"""Settings of the website."""

from website_settings import *

ROOT_URLCONF = "urls"
