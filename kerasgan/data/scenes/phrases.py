"""Phrases for the contents of a scene, and the templates of the captions."""

MIN_WORDS, MAX_WORDS = 5, 18
NUMBERS = ("no", "one", "two", "three")
SIZES = {"small": ("small", "little"), "big": ("big", "large")}

ANIMAL_NOUNS = {
    "cat": ("cat", "cat", "kitty"),
    "duck": ("duck",),
    "elephant": ("elephant",),
    "giraffe": ("giraffe",),
    "rabbit": ("rabbit", "rabbit", "bunny"),
    "turtle": ("turtle", "turtle", "tortoise"),
}
ANY_ANIMAL = ("animal", "animal", "creature", "beast")

# Singular and plural nouns; "{c}" is replaced by the color.
NOUNS = {
    "house": (("{c} house", "{c} cottage", "house with {c} walls"), ()),
    "tree": (("{c} tree", "tree with {c} leaves", "leafy {c} tree"), ()),
    "pine": (("fir tree", "pine tree", "{c} fir"), ()),
    "palm": (("palm tree", "palm", "green palm"), ()),
    "boat": (("{c} boat", "{c} sailing boat", "{c} sailboat"), ()),
    "car": (("{c} car", "{c} automobile", "car painted {c}"), ()),
    "bus": (("{c} bus", "city bus in {c}"), ()),
    "tent": (("{c} tent", "{c} camping tent"), ()),
    "parasol": (("{c} parasol", "{c} beach umbrella", "{c} sunshade"), ()),
    "child": (("child in {c}", "child with a {c} shirt", "kid wearing {c}"), ()),
    "snowman": (("snowman", "snowman with a scarf", "snowman with a hat"), ()),
    "lamp": (("{c} lamp", "lamp with a {c} shade", "{c} floor lamp"), ()),
    "chair": (("{c} chair", "{c} seat"), ()),
    "plant": (("plant in a {c} pot", "{c} pot with a plant"), ()),
    "shelf": (("bookshelf", "shelf full of books", "bookcase"), ()),
    "lamppost": (("street lamp", "lamppost", "street light"), ()),
    "cactus": (("green cactus", "cactus"), ()),
    "pyramid": (("pyramid", "stone pyramid"), ()),
    "ball": (("{c} ball", "shiny {c} ball"), ("{c} balls", "shiny {c} balls")),
    "flower": (("{c} flower", "{c} blossom"), ("{c} flowers", "{c} blossoms")),
    "mushroom": (
        ("{c} mushroom", "{c} toadstool"),
        ("{c} mushrooms", "{c} toadstools"),
    ),
    "present": (("{c} present", "{c} gift box"), ("{c} presents", "{c} gift boxes")),
    "bucket": (("{c} bucket", "{c} pail"), ("{c} buckets", "{c} pails")),
    "starfish": (("{c} starfish",), ("{c} starfish",)),
    "pumpkin": (("pumpkin", "orange pumpkin"), ("pumpkins", "orange pumpkins")),
    "lantern": (("lantern", "glowing lantern"), ("lanterns", "glowing lanterns")),
    "cup": (("{c} cup", "{c} mug"), ("{c} cups", "{c} mugs")),
    "cone": (("traffic cone", "orange cone"), ("traffic cones", "orange cones")),
    "balloon": (("{c} balloon",), ("{c} balloons",)),
    "kite": (("{c} kite",), ("{c} kites",)),
    "bird": (("{c} bird",), ("{c} birds",)),
    "butterfly": (("{c} butterfly",), ("{c} butterflies",)),
    "airship": (("{c} hot air balloon",), ("{c} hot air balloons",)),
    "plane": (("{c} plane", "{c} airplane"), ("{c} planes", "{c} airplanes")),
}

PLACES = {
    "meadow": ("in a meadow", "on the grass", "in a green field", "in the countryside"),
    "beach": ("on the beach", "on the sand", "by the sea", "at the seaside"),
    "snow": ("in the snow", "on a snowy field", "in a winter landscape"),
    "night": ("at night", "in the dark", "outdoors at night"),
    "room": ("in a room", "indoors", "inside a house"),
    "city": ("in the city", "on the street", "in town"),
    "desert": ("in the desert", "among the dunes", "on desert sand"),
    "forest": ("in an autumn forest", "in the woods", "by the autumn trees"),
}
SCENES = {
    "meadow": ("meadow", "grassy field", "green landscape"),
    "beach": ("beach", "seaside", "sandy shore"),
    "snow": ("winter landscape", "snowy field"),
    "night": ("field at night", "night landscape"),
    "room": ("room", "living room"),
    "city": ("city street", "street", "town"),
    "desert": ("desert", "desert landscape"),
    "forest": ("autumn forest", "forest", "autumn landscape"),
}
WEATHER_ADJECTIVES = {
    "sunny": ("sunny", "bright"),
    "cloudy": ("cloudy",),
    "rainy": ("rainy", "wet", "grey and rainy"),
    "snowing": ("cold",),
    "moonlit": ("moonlit",),
    "starry": ("starry",),
    "blue": ("blue",),  # the walls of a room
    "green": ("green",),
    "pink": ("pink",),
    "yellow": ("yellow",),
}
SKIES = {
    "sunny": ("on a sunny day", "in the sunshine", "under a blue sky"),
    "cloudy": ("under a cloudy sky", "on a cloudy day", "under the clouds"),
    "rainy": ("in the rain", "on a rainy day", "while it rains"),
    "sunset": ("at sunset", "in the evening light", "while the sun goes down"),
    "snowing": ("while snow is falling", "under falling snow", "as it snows"),
    "moonlit": ("in the moonlight", "under a full moon"),
    "starry": ("under the stars", "under a starry sky"),
}
COVER_PHRASES = {
    "hedge": ("behind a hedge", "behind a bush", "behind a thick hedge"),
    "rock": ("behind a rock", "behind a grey boulder", "behind a large stone"),
    "fog": ("in the fog", "behind a bank of fog", "in thick mist"),
    "crate": ("in a wooden crate", "inside a wooden box", "behind a crate"),
    "tent": ("inside a dark red tent", "in a closed tent"),
    "static": ("behind grey static", "under a patch of noise", "behind picture noise"),
    "curtain": ("behind a red curtain", "behind a curtain", "behind the drapes"),
}
STANDS = ("stands", "waits", "is standing", "is", "can be seen", "is waiting")
HIDES = ("hides", "is hiding", "is hidden", "is out of sight")
BESIDE = ("next to", "near", "beside", "close to")
ABOVE = ("above", "over", "high above")
LIES = (
    ("sits", "is", "can be seen"),
    ("sit", "are", "can be seen"),
)  # singular, plural
FLIES = (("flies", "hovers", "is"), ("fly", "hover", "are"))
OPENINGS = (
    "a picture of",
    "a drawing of",
    "an illustration of",
    "look at",
    "here is",
    "we see",
    "this is",
    "i can see",
)
LEFT_OF = ("left of", "to the left of", "on the left of")
RIGHT_OF = ("right of", "to the right of", "on the right of")
ON_LEFT = ("on the left", "at the left side", "on the left side")
ON_RIGHT = ("on the right", "at the right side", "on the right side")
CENTER = ("in the middle", "in the center", "at the center")

# Five styles, one for each caption: relations, counts, the animal, the background, a
# list. A template is used if the scene has all of its fields: {stands} if the animal
# is visible, {hides} and {cover} if it is not.
STYLES = (
    (
        "{animal} {stands} {side} {neighbor} {place}",
        "{animal} {stands} {side} {neighbor} {sky}",
        "{sky}, {animal} {stands} {side} {neighbor}",
        "{neighbor} stands {other_side} {animal} {place}",
        "{animal} {hides} {cover} {side} {neighbor}",
        "{place} {animal} {hides} {cover} {side} {neighbor}",
        "{animal} {stands} {beside} {small} {place}",
        "{animal} {hides} {cover} {beside} {small}",
        "{animal} {place} under {flying}",
    ),
    (
        "{small} {lie} {beside} {animal} {place}",
        "{small} {lie} {beside} {animal} {sky}",
        "{flying} {fly} {above} {animal} {sky}",
        "{flying} {fly} {above} {animal} {place}",
        "{small} and {flying} with {animal}",
        "one {neighbor_alone} and one {animal_alone} {place}",
    ),
    (
        "{animal} {stands} {where}",
        "{place} {animal} {stands} {where}",
        "{opening} {animal} {place}",
        "{animal} {hides} {cover} {where}",
        "{opening} {animal} hidden {cover}",
    ),
    (
        "{scene} with {animal}",
        "{plain_scene} {sky} with {animal} and {neighbor}",
        "{opening} {scene} with {neighbor} and {animal}",
        "{scene} where {flying} {fly} {above} {animal}",
        "{scene} and {animal} {cover}",
    ),
    (
        "{animal}, {neighbor} and {small} {sky}",
        "there is {animal} and {neighbor} {place}",
        "{animal} together with {small} and {flying}",
        "{animal}, {flying} and {neighbor}",
        "{neighbor}, {small}, {flying} and {animal}",
        "somewhere {place} there is {animal} with {small}",
        "somewhere {place} there is {animal} and {flying}",
    ),
)

# More templates of the same styles, for captions that do not mention the animal.
UNNAMED_STYLES = (
    (
        "{small} {lie} {place} with {neighbor}",
        "{neighbor} {place} with {flying} in the air",
    ),
    (
        "{flying} and {small} {place}",
        "{small} {lie} {place} {sky}",
        "{flying} {fly} {above} the ground {place}",
    ),
    ("{place} something {stands} {where}", "something {hides} {cover} {where}"),
    ("{scene} with {neighbor}", "{plain_scene} {sky}", "{scene} with {small}"),
    ("{neighbor} and {small} {place}", "{flying} {sky} {place}"),
)
