"""The words of the grammar: closed lists, and seeded makers of words and phrases that no list holds.

Knows nothing of prompts. Every list is the project's own writing. `split` says whether a combination belongs
to training or to evaluation, from a checksum, so that no table of combinations is kept anywhere.
"""

import random
import zlib


def listed(text: str) -> tuple[str, ...]:
    """Returns the words of a text."""
    return tuple(text.split())


HELD_OUT_SHARE = 8  # one combination in eight is never trained on

INGREDIENTS: dict[str, tuple[str, ...]] = {
    "dairy": ("cheese", "butter", "cream", "milk", "yogurt", "ricotta"),
    "meat": ("beef", "pork", "ham", "bacon", "chicken", "lamb", "turkey", "sausage"),
    "fish": ("salmon", "tuna", "cod", "trout", "shrimp", "crab", "anchovies"),
    "egg": ("eggs", "omelette", "mayonnaise", "meringue"),
    "nut": ("walnuts", "almonds", "pecans", "cashews", "hazelnuts", "peanuts"),
    "gluten": ("wheat", "barley", "noodles", "pasta", "bread", "rye"),
    "plant": listed(
        """
        onions garlic carrots peppers tomatoes spinach mushrooms beans lentils rice potatoes corn
        peas cabbage celery leeks olives lemon ginger basil mint parsley tofu pumpkin beets cucumber
        lettuce apples pears plums cherries grapes figs dates radishes fennel
        """
    ),
}  # fmt: skip
CATEGORY_OF = {name: category for category, names in INGREDIENTS.items() for name in names}
ALL_INGREDIENTS = tuple(CATEGORY_OF)

# What a guest may say of a whole category, and the categories that a diet leaves out.
CATEGORY_WORDS = {
    "dairy": "dairy", "meat": "meat", "fish": "fish", "egg": "egg", "nut": "nuts", "gluten": "gluten",
}  # fmt: skip
DIETS = {"vegan": ("dairy", "meat", "fish", "egg"), "vegetarian": ("meat", "fish")}

DISH_ADJECTIVES = (
    "Creamy", "Spicy", "Warm", "Cold", "Smoky", "Crispy", "Sweet", "Rustic", "Light", "Rich", "Golden",
    "Grilled", "Baked", "Slow", "Fresh", "Simple",
)  # fmt: skip
DISH_KINDS = (
    "soup", "stew", "salad", "pie", "bake", "curry", "bowl", "wrap", "tart", "plate", "risotto",
    "gratin", "roll", "cake", "stir-fry", "casserole",
)  # fmt: skip

GOOD_PHRASES = (
    "You have to try it.", "Order it tonight.", "A good choice for you.", "Go ahead and enjoy it.",
    "Pick this one.", "Worth every bite.", "Try it.", "Say yes to this dish.", "You will love it.",
    "Make it your dinner.", "Highly recommended.", "This one is for you.",
)  # fmt: skip
BAD_PHRASES = (
    "Leave it out.", "Choose another dish.", "Better not.", "Avoid.", "Skip this one.", "Not for you.",
    "Please pick something else.", "Do not order it.", "Stay away from it.", "Look for another plate.",
    "Say no to this dish.", "Avoid it.",
)  # fmt: skip

COMMON = listed(
    """
    river stone window garden yellow silver paper candle music winter summer forest bridge table
    chair clock letter mountain island harbor engine pencil ladder mirror blanket basket bottle
    button cotton copper crystal desert dragon eagle falcon feather flower hammer helmet honey
    jacket kettle lantern leather library marble market meadow morning needle ocean orange palace
    pepper pillow planet pocket poem rabbit ribbon rocket saddle school shadow shelter signal spider
    spring statue storm street sugar sunset temple thunder ticket tiger tower train tunnel valley
    velvet village violet wagon walnut whisper willow wizard wonder wool yard blue green red purple
    white black brown pink gray quick slow quiet loud bright dark soft hard cold warm heavy light
    round square tall short old new early late open closed happy gentle brave clever calm proud
    strange simple plain run walk jump sing dance read write draw paint build carry climb travel
    follow gather listen wander answer remember imagine borrow before after under over beside
    between around toward again always never often perhaps today tomorrow seven three five nine
    twenty hundred circle corner number pattern riddle secret story song sound voice wave wind cloud
    rain snow ice fire smoke sand dust iron gold tin brick wood glass rope wheel boat ship sail
    anchor map road path gate door wall roof floor lamp bell drum flute piano violin trumpet horse
    camel fox wolf bear owl crow swan goose duck bee ant moth frog toad fish shell pearl coral leaf
    root seed branch bark moss fern rose lily tulip daisy compass mystery puzzle parade picnic
    voyage canyon glacier lagoon orchard cottage castle museum theater stadium factory station
    airport hotel bakery pharmacy kitchen balcony cellar attic
    """
)
# Words that evaluation alone may use: phrases of them were never seen in training.
COMMON_HELD_OUT = tuple(word for i, word in enumerate(sorted(set(COMMON))) if i % HELD_OUT_SHARE == 3)
COMMON_TRAINED = tuple(word for word in sorted(set(COMMON)) if word not in COMMON_HELD_OUT)

SYLLABLES = listed(
    """
    ba be bo bri bu ca co cra da de do dra du el fa fe fi flo ga ge go gra ha he ho jo ka ke ki kro
    la le li lo lu ma me mi mo mu na ne ni no nu or pa pe pi plo po qua ra re ri ro ru sa se si sko
    so su ta te ti to tra tu va ve vi vo wa we wi xo ya yo za ze zi zo
    """
)
ENDINGS = ("n", "r", "l", "s", "th", "m", "k", "t", "x", "")

PEOPLE = (
    "Mia", "Tom", "Ana", "Ben", "Lea", "Sam", "Eva", "Max", "Ida", "Leo", "Zoe", "Jon", "Nora", "Omar",
    "Ruth", "Paul", "Vera", "Hugo", "Iris", "Amir",
)  # fmt: skip


def split_of(*parts: object) -> str:
    """Returns 'held_out' for one combination in `HELD_OUT_SHARE`, else 'train'; the same in every run."""
    key = "|".join(str(part) for part in parts).encode()
    return "held_out" if zlib.crc32(key) % HELD_OUT_SHARE == 0 else "train"


def examples_split(split: str) -> str | None:
    """Returns the split of a prompt's solved examples: in training they are learned from, so only its own."""
    return "train" if split == "train" else None


def invented_word(rng: random.Random, syllables: int = 2) -> str:
    """Returns a pronounceable lower-case word that means nothing, such as 'velor'."""
    return "".join(rng.choice(SYLLABLES) for _ in range(syllables)) + rng.choice(ENDINGS)


def invented_name(rng: random.Random) -> str:
    """Returns a capitalised invented word."""
    return invented_word(rng).capitalize()


def random_phrase(rng: random.Random, *, held_out: bool = False) -> str:
    """Returns one to seven random words as a sentence: nothing but the prompt can tell what it stands for.

    Held-out phrases hold only words that training phrases never hold, listed or invented.
    """
    words = []
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5, 7))):
        if rng.random() < 0.4:
            words.append(_invented_by_split(rng, held_out))
        else:
            words.append(rng.choice(COMMON_HELD_OUT if held_out else COMMON_TRAINED))
    if len(words) > 2 and rng.random() < 0.15:
        words[rng.randrange(1, len(words) - 1)] += ","
    text = " ".join(words)
    return text[0].upper() + text[1:] + rng.choice((".", ".", ".", "!", ""))


OPENERS = (
    "", "", "Please ", "You should ", "You must ", "I would ", "We would never ", "Better ", "Do not ",
    "Never ", "Just ", "Maybe ", "No, do not ", "Yes, ", "Sorry, do not ", "Feel free to ",
    "I can not let you ",
)  # fmt: skip
VERBS = (
    "order", "eat", "try", "take", "choose", "avoid", "skip", "enjoy", "share", "leave", "pick",
    "refuse", "taste", "touch", "have", "buy", "ask for", "stay with", "keep away from",
)  # fmt: skip
THINGS = (
    "it", "this", "that", "this dish", "that dish", "another dish", "something else", "the soup", "a salad",
    "the next one", "this one", "the fish", "anything but this", "what is on the plate", "the second item",
)  # fmt: skip
TAILS = (
    "", "", "", " tonight", " today", " here", ", thank you", ", sorry", " with care", " at once",
    " for sure",
)  # fmt: skip


def composed_phrase(rng: random.Random) -> str:
    """Returns advice as a person might word it, one of some fifty thousand ways, now and then careless."""
    text = rng.choice(OPENERS) + rng.choice(VERBS) + " " + rng.choice(THINGS) + rng.choice(TAILS)
    text = text if rng.random() < 0.08 else text[0].upper() + text[1:]
    return text + rng.choices((".", "!", "", "...", " 🙂", "?"), (70, 12, 10, 3, 3, 2))[0]


def _invented_by_split(rng: random.Random, held_out: bool) -> str:
    wanted = "held_out" if held_out else "train"
    while True:
        word = glued_word(rng) if rng.random() < 0.6 else invented_word(rng, rng.choice((1, 2, 2)))
        if word not in COMMON and split_of("invented", word) == wanted:
            return word


def glued_word(rng: random.Random) -> str:
    """Returns the end of one listed word, often after the beginning of another: 'garellow', 'indow'.

    Such words are made of the tokenizer's rarer pieces, which whole words never show to the model.
    """
    first, second = rng.choice(COMMON), rng.choice(COMMON)
    end = second[rng.randrange(1, max(2, len(second) - 1)) :]
    return end if rng.random() < 0.3 else first[: rng.randrange(1, len(first))] + end
