"""The cast: the people of the demo roster and their accounts, as plain data.

Everybody is invented. Handles that begin with a mood (``private…``, ``flaky…``) go wrong on
purpose, so that every state of an account can be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PASSWORD = "greenroom-demo"  # noqa: S105  everybody may know it: it opens invented people only


@dataclass(frozen=True, slots=True)
class Staff:
    username: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    tags: tuple[str, ...]
    manager: str
    """A user name of STAFF."""
    location: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    """Platform → handle."""


MANAGER = Staff("demo", "Hanna Weiss", "manager")
VIEWER = Staff("viewer", "Victor Lang", "viewer")
STAFF = (
    MANAGER,
    Staff("tobias", "Tobias Crane", "manager"),
    Staff("ifeoma", "Ifeoma Nwosu", "manager"),
    VIEWER,
)

IG, TT, YT, TW, LI = "INSTAGRAM", "TIKTOK", "YOUTUBE", "TWITTER", "LINKEDIN"

PEOPLE = (
    Person("Kwame Asante-Bell", ("comedy", "podcast"), "tobias", "London",
           {IG: "kwame.asantebell", TT: "kwame.asantebell", YT: "kwameasantebell", TW: "kwame_ab"}),
    Person("Zadie Winslow", ("skincare", "beauty"), "ifeoma", "Manchester",
           {IG: "zadie.winslow", TT: "zadiewinslow", YT: "zadiewinslow"}),
    Person("Mila Okafor", ("food", "travel"), "demo", "Bristol",
           {IG: "mila.okafor", TT: "mila.okafor", YT: "milaokafor", LI: "mila-okafor"}),
    Person("Daniel Noor", ("gaming",), "tobias", "Leeds",
           {IG: "daniel.noor", TT: "slow.daniel", YT: "danielnoorplays"}),
    Person("Anouk van Rijsel", ("dance",), "ifeoma", "Rotterdam",
           {IG: "anouk.vanrijsel", TT: "ratelimited.anouk"}),
    Person("Luca Marchetti", ("menswear", "watches"), "demo", "Milan",
           {IG: "luca.marchetti", TT: "lucamarchetti", YT: "lucamarchetti"}),
    Person("Freya Holmqvist", ("running", "outdoor"), "demo", "Gothenburg",
           {IG: "freya.holmqvist", TT: "freyaruns", YT: "freyaholmqvist", LI: "freya-holmqvist"}),
    Person("Tamsin Oyelaran", ("comedy",), "tobias", "London",
           {IG: "tamsin.oyelaran", TT: "tamsinoyelaran"}),
    Person("Jonah Vesterberg", ("tech", "desk setups"), "tobias", "Copenhagen",
           {IG: "jonah.vesterberg", TT: "jonahvesterberg", YT: "jonahvesterberg", TW: "jonahdesk"}),
    Person("Priya Raman", ("beauty", "bridal"), "ifeoma", "Birmingham",
           {IG: "priya.raman", TT: "private.priya"}),
    Person("Wren Abernathy", ("illustration",), "demo", "Edinburgh",
           {IG: "noimage.wren", YT: "noimage.wren"}),
    Person("Omar Haddad", ("street food",), "demo", "Marseille",
           {IG: "omar.haddad", TT: "omarhaddad", YT: "flaky.omar"}),
    Person("Carmen Adeyemi-Ruiz", ("fitness",), "ifeoma", "Madrid",
           {IG: "carmen.adeyemiruiz", TT: "carmenmoves", YT: "carmenmoves"}),
    Person("Saoirse Kallan", ("books",), "tobias", "Dublin",
           {IG: "saoirse.kallan", TT: "saoirsereads", YT: "saoirsereads"}),
    Person("Amélie Thorn", ("interiors",), "demo", "Lyon",
           {IG: "amelie.thorn", YT: "ameliethorn"}),
    Person("Marlon Sefton", ("football",), "ifeoma", "Liverpool",
           {IG: "marlon.sefton", TT: "marlonsefton", TW: "marlonsefton"}),
    Person("Bea Montclair", ("plants", "home"), "demo", "Bath",
           {IG: "bea.montclair", TT: "bea.montclair", YT: "nonexistent.bea"}),
    Person("Rafael Quintero", ("motorsport",), "tobias", "Valencia",
           {IG: "rafael.quintero", TT: "rafaelquintero", YT: "rafaelquintero"}),
    Person("Sam Ito-Reyes", ("skate", "street"), "tobias", "Barcelona",
           {IG: "sam.itoreyes", TT: "samitoreyes", YT: "down.sam"}),
    Person("Leila Farrokh", ("personal finance",), "ifeoma", "London",
           {IG: "leila.farrokh", TT: "leilafarrokh", YT: "leilafarrokh", LI: "leila-farrokh"}),
    Person("Ines Calloway", ("parenting",), "demo", "Cardiff",
           {IG: "ines.calloway", TT: "inescalloway"}),
    Person("Teo Lindqvist", ("outdoor", "cabins"), "demo", "Oslo",
           {IG: "teo.lindqvist", TT: "placeholder.teo"}),
    Person("Hugo Delacroix", ("wine", "dining"), "ifeoma", "Bordeaux",
           {IG: "personal.hugo", YT: "hugodelacroix"}),
    Person("Yuki Tanabe", ("ceramics", "craft"), "tobias", "Kyoto",
           {IG: "yuki.tanabe", TT: "yukitanabe", YT: "renamed.yuki"}),
    Person("Nikolai Brandt", ("photography",), "tobias", "Berlin",
           {IG: "nikolai.brandt", YT: "garbled.nikolai"}),
)  # fmt: skip
