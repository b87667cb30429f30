"""The back office's front: Greenroom's name on Django's admin."""

from django.contrib.admin import AdminSite


class GreenroomAdminSite(AdminSite):
    site_header = "Greenroom"
    site_title = "Greenroom"
    index_title = "Back office"
