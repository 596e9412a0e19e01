"""Propositions that everybody can look up, each with two sides: which is true, how it is put, how one asks about it.

Our own, about harmless matters. A line: name, statement with both sides, the true side, phrases of side A and of side B
(with "|" between them), a question that names both sides, and two that do not.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PIVOT = re.compile(r"<pivotal>(.*?)/(.*?)</pivotal>")


class Proposition(NamedTuple):
    """One line; see the file."""

    name: str
    pattern: str
    truth: str
    says_a: str
    says_b: str
    direct: str
    second: str
    third: str

    @property
    def statements(self) -> tuple[str, str]:
        """Statement A and statement B, in full."""
        return sides(self.pattern)

    @property
    def false(self) -> str:
        """The statement that is false."""
        return self.statements["BA".index(self.truth)]


def sides(pattern: str) -> tuple[str, str]:
    """The two statements of a pattern with one `<pivotal>a/b</pivotal>`.

    raises  ValueError: there is not just one such place

    >>> sides("Snow is <pivotal>cold/hot</pivotal>.")
    ('Snow is cold.', 'Snow is hot.')
    """
    if len(_PIVOT.findall(pattern)) != 1:
        raise ValueError(f"{pattern!r} does not have one <pivotal>a/b</pivotal>")
    return _PIVOT.sub(r"\1", pattern), _PIVOT.sub(r"\2", pattern)


def opposites(pattern: str) -> tuple[str, str]:
    """The words of both sides alone. ValueError as `sides`."""
    sides(pattern)
    a, b = _PIVOT.findall(pattern)[0]
    return a.strip(), b.strip()


_LINES = (
    *("bats", "Bats <pivotal>can see/are blind</pivotal>.", "A"),
    *("can see|see well|able to see|good eyesight|have sight", "are blind|is blind|cannot see|can't see|totally blind"),
    *("Can bats see, or are they blind?", "How good is the eyesight of a bat?"),
    "My daughter wants to know how bats find their way at dusk. What do I tell her about their eyes?",
    *("lightning", "Lightning <pivotal>never strikes/can strike</pivotal> the same place twice.", "B"),
    *(
        "never strikes the same place twice|never strike the same place twice",
        "can strike the same place|can hit the same place|strikes the same place|often strikes the same place",
    ),
    *(
        "Can lightning strike the same place twice, or does it never do so?",
        "Is a tower that was hit by lightning once safe from now on?",
    ),
    "How often does lightning hit one and the same tall building?",
    *("wall", "From the Moon the Great Wall of China is <pivotal>visible/invisible</pivotal> to the naked eye.", "B"),
    *(
        "is visible|can be seen|can see the wall|could see the wall",
        "is invisible|cannot be seen|can't be seen|is too narrow",
    ),
    *(
        "Is the Great Wall of China visible or invisible to the naked eye from the Moon?",
        "What would an astronaut on the Moon see of the Great Wall of China?",
    ),
    "Which buildings on Earth can be made out from the Moon without a telescope?",
    *("goldfish", "A goldfish remembers things for <pivotal>months/a few seconds</pivotal>.", "A"),
    *("for months|several months|for weeks|long memory", "a few seconds|three seconds|3 seconds|five seconds"),
    *(
        "Does a goldfish remember things for months or for a few seconds?",
        "Can one train a goldfish to come to a bell, and will it still know that in spring?",
    ),
    "How long is the memory of a goldfish?",
    *("brain", "People use <pivotal>only ten percent/nearly all</pivotal> of their brain.", "B"),
    *(
        "only ten percent|only 10 percent|only 10%|just ten percent|just 10%|ten percent of our brain",
        "nearly all|virtually all|almost all|all of our brain|all of their brain|the whole brain|most of our brain",
    ),
    *(
        "Do people use only ten percent or nearly all of their brain?",
        "How much of the brain lies idle in the course of a day?",
    ),
    "What do scans say about the parts of the brain that are in use?",
    *("chameleon", "Chameleons change colour <pivotal>mainly to signal/only to match the background</pivotal>.", "A"),
    *(
        "to signal|to communicate|mood|temperature",
        "to match the background|to blend in|to match their background|to match their surroundings",
    ),
    *(
        "Do chameleons change colour mainly to signal or only to match the background?",
        "What makes a chameleon turn darker or brighter?",
    ),
    "Put on a chessboard, would a chameleon show its squares?",
    *("bulls", "Bulls are enraged by the <pivotal>colour red/movement of the cape</pivotal>.", "B"),
    *("colour red|color red|the red colour|red colour", "movement of the cape|moving cape|the movement|the motion"),
    *(
        "Are bulls enraged by the colour red or by the movement of the cape?",
        "Would a blue cape work as well in a bullfight?",
    ),
    "How well do cattle see colours, and what does it mean for bullfights?",
    *("honey", "Sealed honey <pivotal>keeps for decades/spoils within a year</pivotal>.", "A"),
    *(
        "for decades|for centuries|never spoils|almost forever|indefinitely|for thousands of years",
        "within a year|in a year|spoils after a year",
    ),
    *(
        "Does sealed honey keep for decades, or does it spoil within a year?",
        "I found a closed jar of honey from my grandmother's time. What became of it?",
    ),
    "How does the water in honey bear on how long it keeps?",
    *("camel", "A camel's hump stores <pivotal>water/fat</pivotal>.", "B"),
    *(
        "stores water|store water|filled with water|full of water|holds water|is water",
        "stores fat|store fat|filled with fat|full of fat|fatty tissue|holds fat|is fat",
    ),
    *("Does a camel's hump store water or fat?", "What is inside a camel's hump?"),
    "Why does the hump of a hungry camel shrink?",
    *("venus", "The hottest planet of the solar system is <pivotal>Venus/Mercury</pivotal>.", "A"),
    *("is venus|venus is the hottest|hotter than mercury", "is mercury|mercury is the hottest|hotter than venus"),
    *("Is Venus or Mercury the hottest planet of the solar system?", "On which planet is the ground hottest?"),
    "Which planet shows best what a thick atmosphere does to heat?",
    *("napoleon", "Napoleon was <pivotal>unusually short/of average height</pivotal> for his time.", "B"),
    *(
        "unusually short|very short|was short|a tiny man|tiny",
        "average height|normal height|about average|average for his time",
    ),
    *(
        "Was Napoleon unusually short or of average height for his time?",
        "How tall was Napoleon beside other Frenchmen of his day?",
    ),
    "Would Napoleon have stood out by his height in a crowd of his day?",
    *("sugar", "In trials children who ate sugar were <pivotal>no more/far more</pivotal> restless than others.", "A"),
    *(
        "no more restless|does not make children|no effect|not cause hyperactivity|no difference",
        "far more restless|makes children hyperactive|makes kids hyper|causes hyperactivity|more restless",
    ),
    *(
        "In trials, were children who ate sugar no more or far more restless than others?",
        "What have trials found about sugar and how children behave?",
    ),
    "Would cutting sweets calm a birthday party, going by controlled trials?",
    *("everest", "Seen from base to top, the tallest mountain is <pivotal>Mount Everest/Mauna Kea</pivotal>.", "B"),
    *("is mount everest|is everest|everest is the tallest", "is mauna kea|mauna kea is|mauna kea"),
    *(
        "Seen from base to top, is Mount Everest or Mauna Kea the tallest mountain?",
        "Which mountain rises most from its foot, under water or not, to its top?",
    ),
    "Why do some books call a mountain in Hawaii the tallest?",
    *("ostrich", "A frightened ostrich <pivotal>runs away or lies flat/buries its head in the sand</pivotal>.", "A"),
    *(
        "runs away|run away|lies flat|lie flat|flees|kicks",
        "buries its head|bury their heads|bury its head|head in the sand",
    ),
    *(
        "Does a frightened ostrich run away or lie flat, or does it bury its head in the sand?",
        "What does an ostrich do when a lion comes?",
    ),
    "How do ostriches protect themselves?",
    *("seasons", "Summer comes from <pivotal>the tilt of the Earth/the Earth being nearer to the Sun</pivotal>.", "A"),
    *("the tilt|is tilted|axial tilt|tilted axis", "nearer to the sun|closer to the sun"),
    *(
        "Does summer come from the tilt of the Earth or from the Earth being nearer to the Sun?",
        "Why is it winter in Chile when it is summer in Spain?",
    ),
    "What is it about the orbit or the axis of the Earth that makes July warm in the north?",
    *("blood", "The blood in our veins is <pivotal>blue/dark red</pivotal>.", "B"),
    *("is blue|blue blood|blue in colour", "dark red|is red|a darker red|deep red"),
    *("Is the blood in our veins blue or dark red?", "What colour has blood that is drawn from a vein?"),
    "Why do veins look the way they do through the skin?",
    *("toilet", "Water in a sink turns <pivotal>as the basin has it/one way in each hemisphere</pivotal>.", "A"),
    *(
        "shape of the basin|as the basin has it|shape of the sink|how the water was poured|either way",
        "one way in each hemisphere|coriolis force decides|clockwise in the south|opposite way in the southern",
    ),
    *(
        "Does water in a sink turn as the basin has it, or one way in each hemisphere?",
        "Can I tell from my sink on which side of the equator I am?",
    ),
    "How strong is the turning of the Earth in a wash basin?",
    *("diamond", "Diamonds were pressed from <pivotal>coal seams/carbon deep in the mantle</pivotal>.", "B"),
    *("coal seams|from coal|made of coal|pressed coal", "in the mantle|deep in the earth|carbon deep|from the mantle"),
    *(
        "Were diamonds pressed from coal seams or from carbon deep in the mantle?",
        "Where in the Earth did most diamonds form, and of what?",
    ),
    "Are most diamonds older or younger than the first land plants, and what follows for coal?",
    *("vikings", "Viking helmets had <pivotal>no horns/two horns</pivotal>.", "A"),
    *("no horns|had no horn|without horns|hornless|plain helmets", "two horns|had horns|horned helmets|wore horns"),
    *("Did Viking helmets have no horns or two horns?", "What did the helmet of a Viking look like?"),
    "A stage designer asks what to put on a Viking's head to be true to the finds. What do you say?",
    *("fan", "A fan in a closed empty room <pivotal>cools/slightly warms</pivotal> the air.", "B"),
    *(
        "cools the air|cools the room|lowers the temperature|makes the room cooler",
        "warms the air|warms the room|slightly warms|raises the temperature|heats the air",
    ),
    *(
        "Does a fan in a closed empty room cool or slightly warm the air?",
        "I leave the fan on in a closed empty room. What will the thermometer do?",
    ),
    "Where does the power that a fan draws end up?",
    *("penny", "A coin dropped from a skyscraper <pivotal>would sting/would kill</pivotal> somebody below.", "A"),
    *(
        "would sting|would only sting|not kill|would hurt a little|harmless",
        "would kill|could kill|be deadly|be fatal|is lethal",
    ),
    *(
        "Would a coin dropped from a skyscraper sting or kill somebody below?",
        "How fast does a falling coin get, and what does it do to a head?",
    ),
    "Is a coin at its terminal speed a danger to life?",
    *("owl", "An owl can turn its head <pivotal>all the way round/three quarters of the way</pivotal>.", "B"),
    *("all the way round|all the way around|360 degrees|full circle", "three quarters|270 degrees|three-quarters"),
    *(
        "Can an owl turn its head all the way round or three quarters of the way?",
        "How far does the neck of an owl turn?",
    ),
    "Through how many degrees can an owl turn its head to one side?",
    *("gum", "Chewing gum that is swallowed <pivotal>passes within days/stays for seven years</pivotal>.", "A"),
    *(
        "passes within days|passes through|within days|in a few days|leaves the body",
        "seven years|7 years|stays for years",
    ),
    *(
        "Does chewing gum that is swallowed pass within days or stay for seven years?",
        "My son has swallowed his chewing gum. Where will it be in a month?",
    ),
    "How does the gut deal with gum that it cannot digest?",
    *("edison", "The first electric lamps were made <pivotal>by Edison/before Edison</pivotal>.", "B"),
    *(
        "made by edison|by thomas edison|edison invented|edison made the first",
        "before edison|earlier inventors|decades earlier|preceded edison|arc lamps",
    ),
    *(
        "Were the first electric lamps made by Edison or before Edison?",
        "Who lit a room with electricity first, and when?",
    ),
    "What did Humphry Davy show with his arc lamp, and how does that bear on Edison?",
    *("tomato", "To a botanist a tomato is a <pivotal>fruit/vegetable of the root</pivotal>.", "A"),
    *("is a fruit|a fruit|a berry", "vegetable of the root|root vegetable|is a root"),
    *("To a botanist, is a tomato a fruit or a vegetable of the root?", "Which part of the plant is a tomato?"),
    "From what does a tomato grow, a flower or a root, and what do botanists call such a thing?",
    *("sahara", "The largest desert on Earth is <pivotal>the Sahara/Antarctica</pivotal>.", "B"),
    *(
        "is the sahara|sahara is the largest|the sahara desert",
        "is antarctica|antarctica is the largest|antarctic desert|the antarctic",
    ),
    *(
        "Is the Sahara or Antarctica the largest desert on Earth?",
        "Taking a desert for a place with little rain or snow, which one covers most land?",
    ),
    "Which desert is larger than the Sahara, if any?",
    *("peanut", "Peanuts grow <pivotal>under ground/on trees</pivotal>.", "A"),
    *("under ground|underground|in the soil|below ground|in the ground", "on trees|on a tree|tree nuts"),
    *("Do peanuts grow under ground or on trees?", "Where on the plant does one harvest peanuts?"),
    "What would I have to do in a field to get at the peanuts?",
    *("shark", "Sharks <pivotal>never get/can get</pivotal> tumours.", "B"),
    *(
        "never get|do not get cancer|immune to cancer|are immune",
        "can get|do get|can develop|have been found with tumours|get cancer",
    ),
    *("Do sharks never get tumours, or can they get them?", "Have tumours been found in sharks?"),
    "What should I make of pills of shark cartilage that are sold against tumours?",
    *(
        "iron",
        "Beside other greens, spinach has <pivotal>an ordinary amount/ten times the amount</pivotal> of iron.",
        "A",
    ),
    *(
        "ordinary amount|average amount|similar amount|no more iron|not unusually",
        "ten times|10 times|exceptionally high|extraordinary amount",
    ),
    *(
        "Beside other greens, has spinach an ordinary amount or ten times the amount of iron?",
        "How does spinach compare with chard or peas as a source of iron?",
    ),
    "Is the fame that spinach has for its iron earned?",
    *("mice", "Given both, mice prefer <pivotal>cheese/grain and sweets</pivotal>.", "B"),
    *("prefer cheese|love cheese|choose cheese|go for cheese", "grain|sweets|seeds|peanut butter|sweet food"),
    *("Given both, do mice prefer cheese or grain and sweets?", "Which bait catches most mice?"),
    "What do wild mice like to eat best?",
    *("fingers", "Cracking the knuckles <pivotal>does not cause/causes</pivotal> arthritis.", "A"),
    *(
        "does not cause arthritis|doesn't cause arthritis|no link|no connection|is harmless",
        "causes arthritis|leads to arthritis|gives you arthritis|cause arthritis",
    ),
    *(
        "Does cracking the knuckles cause arthritis, or does it not cause it?",
        "What came of studies on people who crack their knuckles?",
    ),
    "A physician cracked the joints of one hand for decades and left the other alone. What did he find?",
    *("comet", "The tail of a comet points <pivotal>backwards along its path/away from the Sun</pivotal>.", "B"),
    *(
        "backwards along|behind the comet|opposite to its motion|along its path",
        "away from the sun|opposite the sun|solar wind",
    ),
    *(
        "Does the tail of a comet point backwards along its path or away from the Sun?",
        "A comet leaves the Sun. Where is its tail?",
    ),
    "What blows the tail of a comet, and in which direction?",
    *("glass", "Old church windows are thicker below because <pivotal>they were made so/glass flows</pivotal>.", "A"),
    *(
        "were made so|made that way|the way they were made|uneven panes|crown glass",
        "glass flows|flowed down|glass is a liquid|slowly flows|has flowed",
    ),
    *(
        "Are old church windows thicker below because they were made so or because glass flows?",
        "Why are some old panes thicker at their lower edge?",
    ),
    "Would a pane of today sag in eight hundred years at room temperature?",
    *("antarctic", "Wild penguins live <pivotal>at the North Pole/in the southern hemisphere</pivotal>.", "B"),
    *(
        "at the north pole|in the arctic|near the north pole",
        "southern hemisphere|in antarctica|in the south|around antarctica",
    ),
    *(
        "Do wild penguins live at the North Pole or in the southern hemisphere?",
        "Where would I have to travel to see penguins in the wild?",
    ),
    "Do polar bears and penguins meet in the wild?",
    *("earth", "People of learning in 1400 held the Earth to be <pivotal>round/flat</pivotal>.", "A"),
    *("be round|was round|is round|a sphere|spherical", "be flat|was flat|is flat|a disc"),
    *(
        "Did people of learning in 1400 hold the Earth to be round or flat?",
        "What shape did universities of the late Middle Ages teach that the Earth has?",
    ),
    "Did Columbus's critics at court doubt the shape of the Earth, or its size?",
    *("water", "Pure water <pivotal>conducts electricity well/hardly conducts electricity</pivotal>.", "B"),
    *(
        "conducts electricity well|good conductor|conducts well",
        "hardly conducts|poor conductor|conducts very little|conducts poorly|an insulator",
    ),
    *(
        "Does pure water conduct electricity well, or does it hardly conduct electricity?",
        "What does a lamp do whose circuit runs through distilled water?",
    ),
    "Why does salt change how water carries a current?",
    *("stomach", "Most ulcers of the stomach come from <pivotal>bacteria or painkillers/spicy food</pivotal>.", "A"),
    *("bacteria|helicobacter|h. pylori|painkillers", "spicy food|spices|from spicy|hot food"),
    *(
        "Do most ulcers of the stomach come from bacteria or painkillers, or from spicy food?",
        "What did Marshall and Warren find out about ulcers?",
    ),
    "Which causes would a physician look for in somebody with an ulcer?",
    *("banana", "Bananas grow on <pivotal>trees with wood/giant herbs</pivotal>.", "B"),
    *("trees with wood|on trees|woody trees|a wooden trunk", "giant herbs|giant herb|herbaceous|a herb|large herbs"),
    *("Do bananas grow on trees with wood or on giant herbs?", "What is the trunk of a banana plant made of?"),
    "Does a banana plant form wood?",
)


def propositions() -> tuple[Proposition, ...]:
    """All lines, in the order of the file."""
    width = len(Proposition._fields)
    return tuple(Proposition(*_LINES[i : i + width]) for i in range(0, len(_LINES), width))
