"""django-allauth's provider for WeChat's QR code login, at other addresses than WeChat's own."""
