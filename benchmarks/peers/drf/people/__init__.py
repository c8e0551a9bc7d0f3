"""A hand-written login of a mini program: Django REST framework, wechatpy and simplejwt."""
