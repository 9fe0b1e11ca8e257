"""The words that fill the stories' slots. Everything here was written for this generator."""

GIRLS = ["Mia", "Lily", "Anna", "Nora", "Ruby", "Clara", "Maya", "Alice"]
BOYS = ["Tom", "Ben", "Max", "Leo", "Finn", "Oscar", "Noah", "Peter"]
ANIMAL_NAMES = ["Pip", "Bramble", "Hazel", "Rusty", "Clover", "Biscuit", "Pepper", "Button"]
ANIMALS = ["fox", "rabbit", "mouse", "bear", "duck", "cat", "dog", "frog", "hedgehog", "squirrel", "pig", "goat"]
NATURES = ["brave", "curious", "gentle", "shy", "cheerful", "clever", "quiet", "kind", "lively", "patient"]
ELDERS_HER = ["mother", "grandmother", "aunt"]
ELDERS_HIM = ["father", "grandfather", "uncle"]

HOMES = [
    "in a small village near the sea", "at the edge of a deep forest", "on a farm between green hills",
    "in a little house by the river", "in a busy town with narrow streets", "on a small island",
    "in a valley under a tall mountain", "beside an old stone bridge", "in a cottage with a red roof",
    "near a lake full of silver fish", "at the end of a long and dusty road", "in a house with a blue door",
]
SEASONS = ["spring", "summer", "autumn", "winter"]
MORNINGS = [
    "one sunny morning", "one cool morning", "one bright day", "one quiet afternoon", "one windy day",
    "one warm afternoon", "one cloudy morning", "one day in early {season}", "on the first day of {season}",
    "one Saturday morning", "one fine {season} day",
]
WEATHER = {
    "spring": ["the air smelled of fresh flowers", "the first bees were flying", "the birds were singing in every tree"],
    "summer": ["the sun was warm and the sky was blue", "a soft wind moved the tall grass", "there was not a single cloud in the sky"],
    "autumn": ["the leaves were red and gold", "a thin mist lay over the fields", "the air smelled of smoke and apples"],
    "winter": ["the snow was white and deep", "the air was cold and clear", "there was ice on every window"],
}
DETAILS = [
    "a little feather danced past {his} nose.", "far away, a bell rang twice.", "an old cat watched from a wall.",
    "a beetle crossed the path as slowly as it could.", "somewhere a dog barked, and then it was quiet again.",
    "two geese walked by as if they owned the road.", "a cool wind tickled {his} ears.",
    "the shadows of the trees were long and thin.",
]

COLORS = ["red", "blue", "green", "yellow", "orange", "purple", "white", "golden"]
TOYS = ["ball", "kite", "scarf", "hat", "drum", "boat", "bell", "umbrella", "button", "basket", "ribbon", "whistle"]
FOODS = ["apple pie", "bread", "honey cake", "cheese", "carrot soup", "blueberries", "warm buns", "nuts", "plum jam"]
FRUITS = ["apples", "pears", "plums", "cherries", "berries", "pumpkins"]
SMALL_ONES = ["a baby bird", "a small turtle", "a lost lamb", "a tiny kitten", "a young deer", "a little duckling"]
TROUBLES = [
    ("it was stuck in the mud", "pulled it out of the mud"),
    ("it was caught in a thorny bush", "opened the thorny branches one by one"),
    ("it had fallen into a deep hole", "climbed down and lifted it out"),
    ("its foot was caught under a stone", "rolled the stone away"),
    ("it had hurt its leg", "wrapped its leg in a soft piece of cloth"),
]
SEARCH_PLACES = [
    "under the bed", "behind the big rock", "in the tall grass", "under the bridge", "in the barn", "behind the door",
    "by the well", "in the garden", "near the old oak", "under the kitchen table", "on the market square", "along the river",
]
FEARS = [
    ("the dark", "when night came, {he} pulled the blanket over {his} head", "a small light glows in the dark: the moon",
     "walked across the dark garden", "the dark was only the day with its eyes closed"),
    ("deep water", "when the others swam, {he} sat on the shore", "the water will carry you if you lie still",
     "lay down on the water and floated", "the lake was holding {him} like a soft hand"),
    ("thunder", "when the clouds turned black, {he} hid in the cupboard", "count slowly after the flash, and the storm walks away",
     "stood at the window and counted", "thunder was only the sky clapping its hands"),
    ("high places", "when the others climbed trees, {he} stayed on the ground", "look at your hands and not at the ground",
     "climbed to the lowest branch, and then to the next", "the whole valley lay below like a picture"),
    ("big dogs", "when a dog came near, {he} ran behind the fence", "hold out your hand and let the dog come to you",
     "held out a hand to the big brown dog", "the dog's tongue was warm and its tail was wagging"),
    ("speaking in front of people", "when the teacher asked, {his} voice became very small",
     "look for one friendly face and speak to that one", "stood up and told a story", "everyone was listening and smiling"),
]
SKILLS = [
    ("to swim", "{he} swallowed a lot of water", "swam all the way to the little island", "swim"),
    ("to whistle", "only air came out", "whistled a whole song", "whistle"),
    ("to ride a bicycle", "{he} fell into the flowers", "rode down the hill and back again", "ride"),
    ("to bake bread", "the bread was as hard as a stone", "baked a loaf that was soft and golden", "bake"),
    ("to read", "the letters jumped around like fleas", "read a whole page aloud", "read"),
    ("to skate on the ice", "{his} feet went left and right, and {he} sat down hard", "skated in a big circle", "skate"),
    ("to play the flute", "it sounded like a sick goose", "played a sweet and gentle tune", "play"),
    ("to tie a strong knot", "the rope slipped open every time", "tied a knot that even the wind could not open", "tie knots"),
]
BUILDS = [
    ("a tree house", "an old oak", "boards and rope", "the floor broke", "slept under the stars"),
    ("a raft", "the river", "logs and string", "the logs came apart", "sailed to the other side"),
    ("a sand castle", "the beach", "sand and shells", "a wave washed it away", "watched the sun set behind its towers"),
    ("a snowman", "the garden", "snow and two black stones", "its head rolled off", "gave it a warm hat"),
    ("a windmill", "the hill", "sticks and paper", "the wind tore the paper", "watched it turn all evening"),
    ("a small cart", "the barn", "four wheels and a box", "one wheel fell off", "rode down the lane and laughed"),
]
SEEDS = [
    ("sunflower", "it was taller than the house"), ("pumpkin", "it was as big as a chair"),
    ("bean plant", "it climbed up to the window"), ("apple tree", "its first apple was round and sweet"),
    ("rose bush", "its flowers smelled like summer"), ("strawberry plant", "its berries were red and sweet"),
]
BROKEN = [("a vase", "the vase"), ("a blue cup", "the cup"), ("the kitchen window", "the window"),
          ("an old clock", "the clock"), ("a big plate", "the plate")]
NOISES = [
    ("tap, tap, tap", "a branch knocking on the window", "branch"), ("scratch, scratch", "a mouse looking for crumbs", "mouse"),
    ("hoo, hoo", "an owl calling its friend", "owl"), ("drip, drip, drip", "the rain falling into a bucket", "rain"),
    ("creak, creak", "the old gate moving in the wind", "gate"),
]
FINDS = [
    ("a hidden cave with shining walls", "cave"), ("a round pond with white lilies", "pond"),
    ("an old tower covered with ivy", "tower"), ("a tiny beach with pink shells", "beach"),
    ("a hollow tree full of soft moss", "tree"), ("a waterfall as thin as a ribbon", "waterfall"),
]
MARKERS = ["a crooked pine", "three white stones", "a broken fence", "a fallen log", "a narrow bridge", "a sleeping goat"]
GIFTS = [
    ("a card with pressed flowers", "flowers from the field"), ("a necklace of shells", "shells from the beach"),
    ("a picture of the house", "paper and some paint"), ("a small wooden bird", "a piece of soft wood"),
    ("a song", "a quiet place to sing"), ("a honey cake", "flour, eggs and honey"),
]
INSTRUMENTS = ["flute", "drum", "fiddle", "trumpet", "small harp"]
SOUP_THINGS = ["carrots", "onions", "potatoes", "beans", "mushrooms", "corn", "leeks", "peas"]
WISHES = [
    ("a friend", "somebody to play with", "a new family moved into the house next door"),
    ("snow", "a white garden in the morning", "the whole garden was white and quiet"),
    ("a puppy", "somebody small to take care of", "there was a basket by the door, and something in it barked"),
    ("a garden", "a place where flowers grow", "the neighbor gave {him} a small piece of land and a spade"),
]
