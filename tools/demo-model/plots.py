"""The plots. Each takes the cast and returns its sentences as templates (see ``template.py``)."""

import words

OPENINGS = [
    "once upon a time there was {a_nature} [little|young] {kind} named {X} who lived {home}.",
    "once upon a time, {home}, there lived {a_nature} {kind} named {X}.",
    "once upon a time {a_nature} {kind} named {X} lived with {his} {elder} {home}.",
    "{X} was {a_nature} little {kind} who lived {home}.",
    "there was once a {kind} named {X}, and everyone called {him} {nature}.",
    "{home}, there lived a little {kind} whose name was {X}.",
    "{a_nature} little {kind} named {X} lived {home}.",
    "this is the story of {X}, {a_nature} {kind} who lived {home}.",
    "long ago, {home}, there lived {a_nature} {kind}. {his} name was {X}.",
    "little {X} lived with {his} {elder} {home}. {he} was {a_nature} {kind}.",
]
ABOUT = [
    "{he} lived with {his} {elder}, and they were very happy.",
    "every day {he} [played outside|helped {his} {elder}|went for a walk] until the sun went down.",
    "{he} loved [stories|long walks|the smell of rain|bright colors|warm soup] more than anything else.",
    "{he} was small, but {his} heart was big.",
]
AGAIN = [
    "but that was not the last adventure of {X}.",
    "and soon {X} had another story to tell.",
    "the year was long, and there was more to come.",
    "but this is not yet the end of the story.",
]
CLOSINGS = [
    "and from that day on, {X} knew that {moral}.",
    "and that is how {X} learned that {moral}.",
    "{X} and {Y} stayed friends for a long, long time.",
    "that night {X} fell asleep with a smile.",
    "it had been a very good day.",
    "when {X} came home, {his} {elder} gave {him} a [big hug|bowl of soup|kiss on the nose].",
]
MEET = "[then {he} met|soon {he} met|on the way {he} met] {Y}, {a_ynature} {ykind}."
THANKS = '["thank you, {Y}!" said {X}.|"thank you so much," said {X}, and {he} hugged {Y}.|"you are a true friend," said {X}.]'


def lost_thing(s, rng):
    first, second, third = rng.sample(words.SEARCH_PLACES, 3)
    return [
        "{morning}, {X} went outside with {his} {toy}.",
        "{he} loved that {thing} because [it was a gift from {his} {elder}|it was the only one in the village|it always made {him} happy].",
        "but when {he} [looked around|came home|stopped to rest], the {thing} was gone.",
        '["oh no!" cried {X}. "where is my {thing}?"|"my {thing} is lost!" said {X}, and {his} eyes filled with tears.]',
        f"{{he}} looked {first}, but it was not there. {{he}} looked {second}, but it was not there.",
        MEET,
        f'"[do not worry|do not be sad], {{X}}," said {{Y}}. "[let us look together|I will help you]. Did you look {third}?"',
        f"they went to look, and there it was! The {{toy}} was {third}.",
        "{X} [jumped for joy|laughed and danced|was so happy]. " + THANKS,
    ]


def small_one_in_trouble(s, rng):
    small = rng.choice(words.SMALL_ONES)
    trouble, rescue = rng.choice(words.TROUBLES)
    noun = small.split()[-1]
    return [
        "{morning}, {X} was walking [to the market|through the woods|along the river|across the field].",
        f"suddenly {{he}} heard a [small cry|soft sound|sad little voice]. It was {small}, and {trouble}.",
        f'"[poor little {noun}|do not be afraid]," said {{X}}. "I will help you."',
        f"[very carefully|slowly and gently|with both hands], {{X}} {rescue}.",
        f"then {{he}} gave the {noun} [some water|a bit of bread|a warm place to rest] and stayed until it felt better.",
        f"[a few days later|the next week], {{X}} [lost {{his}} way in the fog|could not find the path home|got lost among the tall trees].",
        f"then the {noun} came out of the grass and showed {{him}} the way.",
        f'"[now you have helped me|you remembered me]!" said {{X}}. "[thank you, little friend|we are friends now]."',
    ]


def sharing(s, rng):
    return [
        "{morning}, {his} {elder} gave {X} some {food} for the [day|road].",
        "{X} [sat down under a tree|found a sunny place|sat on a warm stone] and wanted to eat it all alone.",
        "[just then|at that moment] {Y} came by, {a_ynature} {ykind} with [an empty bag|tired feet|a sad face].",
        '"I am so hungry," said {Y}. "[I have not eaten since yesterday|my basket fell into the river|the birds ate my lunch]."',
        "{X} looked at the {food}. {he} [thought for a long time|did not want to share it|was hungry too].",
        'but then {he} said, "[Half of it is for you|Come and sit with me|Let us eat together]."',
        "they ate the {food} together, and it [tasted better than ever|was enough for both|made them both happy].",
        "[the next day|after that], {Y} came back with {a_toy} as a gift. " + '"[this is for you|you were kind to me]," {yhe} said.',
    ]


def afraid(s, rng):
    fear, hiding, advice, deed, truth = rng.choice(words.FEARS)
    return [
        f"{{X}} was afraid of only one thing: {fear}.",
        f"{hiding}.",
        '"[I wish I were brave,|everyone is braver than me,|what is wrong with me?]" {he} said to {his} {elder}.',
        f'{{his}} {{elder}} [smiled|took {{his}} hand|sat down beside {{him}}]. "[I was afraid too when I was small|being brave means to be afraid and to try]. Listen: {advice}."',
        "{morning}, {X} [decided to try|wanted to try it]. {Y}, {a_ynature} {ykind}, came along.",
        f"{{his}} [knees shook|heart beat fast|hands were cold], but {{X}} {deed}.",
        f"and then {{he}} saw that {truth}.",
        '["you did it!" shouted {Y}.|"I did it!" shouted {X}.|"look at me!" cried {X}.] {X} was not afraid any more.',
    ]


def building(s, rng):
    what, where, of, breaks, end = rng.choice(words.BUILDS)
    place = {"an old oak": "in an old oak", "the river": "by the river", "the beach": "on the beach",
             "the garden": "in the garden", "the hill": "on the hill", "the barn": "behind the barn"}[where]
    return [
        f"{{morning}}, {{X}} wanted to build {what} {place}.",
        f"{{he}} [found|took|gathered] {of} and worked [all morning|for hours|until noon].",
        f"but as soon as it was ready, {breaks}. [{{X}} sat down and cried.|{{X}} was very sad.|{{X}} wanted to give up.]",
        "{Y}, {a_ynature} {ykind}, had seen it all. " + '"[do not give up|let us try again]," said {Y}. "[two can build better than one|four hands are better than two]."',
        "[{Y} held the pieces, and {X} put them together|{X} showed {Y} the plan, and they began again|they worked slowly and made every part strong].",
        "[in the evening|before sunset|when the sun was low] it was done, and this time it did not break.",
        f"the two friends {end}.",
        '"[we make a good team|this is the best day]," said {X}.',
    ]


def gift(s, rng):
    what, of = rng.choice(words.GIFTS)
    return [
        "[tomorrow was|the next day was|it was almost] the birthday of {his} {elder}, and {X} had no money for a gift.",
        '"[what can I give|what shall I do]?" {he} asked {Y}, {his} {ynature} friend.',
        '{Y} [thought about it|scratched {yhis} head|smiled]. "[make something yourself|a gift does not need money|give something from your heart]," {yhe} said.',
        f"so {{X}} looked for {of}, and {{Y}} helped {{him}}.",
        f"[they worked in secret until late|nobody was allowed to come in|all afternoon they were busy], and at last {{X}} had {what}.",
        f"in the morning {{X}} [ran to|woke up|called] {{his}} {{elder}}. " + '"[happy birthday|this is for you]!" {he} said.',
        "{his} {elder} [had tears in {ehis} eyes|laughed with joy|was silent for a moment]. "
        + '"[this is the best gift of all|I will keep it in my heart]," said {his} {elder}.',
    ]


def garden(s, rng):
    plant, grown = rng.choice(words.SEEDS)
    return [
        f"{{morning}}, {{his}} {{elder}} gave {{X}} a tiny seed. " + '"[take good care of it|be patient]," {ehe} said.',
        "{X} [put it into the soft earth|dug a small hole and put it in|planted it behind the house] and gave it water every day.",
        "one day went by, then two, then three, and nothing happened.",
        '"[it is sleeping|maybe it is lost|nothing grows here]," said {X} to {Y}, {a_ynature} {ykind}. "[I want to dig it up.|Shall I look?]"',
        '"wait," said {Y}. "[good things need time|it only needs sun and rain]."',
        "[after a week|on a rainy morning|at the end of the month], a small green leaf came out of the ground.",
        f"it grew and grew until it was a {plant}, and {grown}." if plant[0] not in "aeiou"
        else f"it grew and grew until it was an {plant}, and {grown}.",
        "{X} [called everyone to see it|showed it to the whole village|danced around it], and {Y} [clapped {yhis} hands|laughed].",
    ]


def race(s, rng):
    return [
        "{morning}, there was a big race [around the lake|through the woods|up the hill and back].",
        "{X} wanted to win, because the prize was {a_toy}. {Y}, {a_ynature} {ykind}, wanted to win it too.",
        '"[ready, steady, go|one, two, three, go]!" [called the teacher|shouted the old miller], and they ran as fast as the wind.',
        "{X} was first. But [near the end|at the last turn] {he} heard a cry. {Y} had [fallen over a root|slipped on the wet grass|hurt {yhis} foot].",
        "{X} looked at the finish. Then {he} [turned around|stopped|went back] and helped {Y} to stand up.",
        '"[why did you stop?|you could have won!]" said {Y}. "[a friend is worth more than a prize|I do not want to win like that]," said {X}.',
        "they [walked|went] over the line together, hand in hand, and everyone [cheered|clapped].",
        "the prize was given to both of them: {X} had the {thing} on [Mondays|even days], and {Y} had it on [Tuesdays|odd days].",
    ]


def broken(s, rng):
    a_thing, the_thing = rng.choice(words.BROKEN)
    return [
        f"{{morning}}, {{X}} was playing with {{his}} {{toy}} inside, and [crash|bang]! {{he}} broke {a_thing}.",
        f"{{X}} was [scared|frightened]. {{he}} [hid behind the curtain|put a cloth over it|ran into the garden] and said nothing.",
        f'"who broke {the_thing}?" asked {{his}} {{elder}}. "[maybe it was the wind|I do not know]," said {{X}}.',
        "but {his} stomach felt [heavy|cold], and {he} could not [eat|play|sleep].",
        'so {X} asked {Y}, {his} {ynature} friend. "[tell the truth|say what happened]," said {Y}. "[it will make you feel light again|a lie only grows bigger]."',
        f'{{X}} went to {{his}} {{elder}}. "[I broke it|it was me]," {{he}} said. "I am sorry."',
        '"[thank you for telling me|I already knew]," said {his} {elder}. "[things can break, but I can trust you again|the truth is more important than a thing]."',
        f"together they [cleaned up the pieces|put the pieces together with glue], and {{X}} felt [much better|as light as a feather].",
    ]


def trip(s, rng):
    find, noun = rng.choice(words.FINDS)
    first, second = rng.sample(words.MARKERS, 2)
    return [
        "{morning}, {X} found an old map [in a drawer|under the roof|inside a book].",
        'it showed a path that nobody knew. "[let us follow it|come with me]," {he} said to {Y}, {a_ynature} {ykind}.',
        f"they packed some {{food}} and set off. First they came to {first}, and then they came to {second}.",
        "[the path grew steep|the path was full of stones|the trees stood close together], and {Y} was [tired|a little afraid].",
        '"[only a few more steps|we are almost there]," said {X}, and {he} took {Y} by the hand.',
        f"and then they saw it: {find}! [They could not believe their eyes.|For a while they said nothing at all.]",
        f"they [ate their {{food}}|rested|played] by the {noun} until the sun was low.",
        f'"[this is our secret|we will come back]," said {{Y}}. They walked home past {second} and past {first} before it was dark.',
    ]


def storm(s, rng):
    return [
        "{morning}, {X} was [picking flowers|collecting wood|playing] on the hill when the sky turned [black|dark and gray].",
        "[a cold wind began to blow|the first drops fell], and soon there was a terrible storm.",
        "{X} ran as fast as {he} could, but {his} home was far away. Then {he} saw a small light.",
        'it was the house of {Y}, {a_ynature} {ykind}. "[come in, come in|quick, come inside]!" called {Y}.',
        "{Y} gave {him} [a dry blanket|a warm towel] and some {food}, and they sat [by the fire|close to the stove].",
        "outside the [rain was falling|wind was howling], but inside it was warm. They told each other stories [until the storm was over|for hours].",
        "when {X} opened the door, there was a rainbow [over the valley|from one end of the sky to the other].",
        '"[come and visit me soon|thank you for your warm house]," said {X}.',
    ]


def new_friend(s, rng):
    return [
        "{morning}, a new family moved into the house [next door|across the road|behind the mill]. They had {a_ynature} {ykind} named {Y}.",
        "{Y} did not know anybody and [sat on the steps alone|looked out of the window all day|hid behind a tree].",
        "{X} saw {yhim}. {he} wanted to say hello, but {he} did not know what to say.",
        'so {X} took {his} {toy} and [put it in front of the door|held it up]. "[do you want to play|would you like to play with me]?" {he} asked.',
        "{Y} [looked up|said nothing at first|waited a moment]. Then {yhe} [smiled|nodded].",
        "they played [all afternoon|until supper] and [laughed a lot|forgot the time].",
        '"[in my old town I had no friend|I was afraid that nobody would like me]," said {Y}. "[now you have one|I like you]," said {X}.',
    ]


def skill(s, rng):
    learn, fail, success, verb = rng.choice(words.SKILLS)
    return [
        f"{{X}} wanted to learn {learn}. {{Y}}, {{a_ynature}} {{ykind}}, could do it very well.",
        f"{{morning}}, {{X}} tried it for the first time, but {fail}. [Some children laughed.|{{X}} turned red.]",
        '"[I will never learn it|it is too hard for me]," said {X}.',
        '"[I needed a whole year|I failed a hundred times]," said {Y}. "[try a little every day|do not stop now]."',
        "so {X} practiced on Monday, and on Tuesday, and on every day of the week.",
        "[sometimes it went well, and sometimes it did not|it was slow, but every day it was a little better].",
        f"[at last|one evening|after many days], {{X}} {success}. {{Y}} [clapped|cheered], and so did everyone else.",
        f'"[who taught you that|how did you do it]?" asked {{his}} {{elder}}. "[I tried again and again|{{Y}} helped me, and I did not give up]," said {{X}}.',
    ]


def night_noise(s, rng):
    sound, cause, noun = rng.choice(words.NOISES)
    return [
        f"one night {{X}} could not sleep, because there was a strange noise: {sound}.",
        '"[is it a monster|what can that be]?" {he} [whispered|thought]. {he} [sat up in bed|pulled up the blanket|held {his} breath].',
        f"it came again: {sound}. {{X}} [took a candle|took a small lamp] and went to wake {{Y}}, {{his}} {{ynature}} friend.",
        '"[we will find out|let us look together]," said {Y}. {yhe} was a little afraid too.',
        "step by step they went [down the stairs|along the dark hall|out of the door].",
        f"and what did they find? It was only {cause}!",
        f'they laughed so loudly that {{his}} {{elder}} woke up. "[what is so funny|why are you awake]?" {{ehe}} asked. "[the monster is only {with_a(noun)}|we have met our monster]," said {{X}}.',
        "then they all [drank warm milk|went back to bed], and {X} slept until morning.",
    ]


def with_a(noun):
    return "the rain" if noun == "rain" else ("an " if noun[0] == "o" else "a ") + noun


def music(s, rng):
    instrument = rng.choice(words.INSTRUMENTS)
    return [
        "it had been a [long winter|hard year], and the people of the village had forgotten how to sing.",
        f"{{morning}}, {{X}} found an old {instrument} [in the attic|in a dusty box|at the bottom of a chest].",
        f"at first it made [only ugly sounds|a terrible noise], and the neighbors closed their windows. But {{X}} [cleaned the {instrument}|practiced in the barn] and played every day.",
        "{Y}, {a_ynature} {ykind}, heard it and began to [hum|dance|clap].",
        f'"[play it for everyone|come to the square]," said {{Y}}. So {{X}} took the {instrument} and went to the market square.',
        "{X} played a slow tune and then a fast one. First [the baker|the old miller] smiled, then [the children|the teachers] danced, and soon everybody was singing.",
        '"[you have brought the music back|we had forgotten how good it feels]," said {his} {elder}.',
    ]


def soup(s, rng):
    first, second, third = rng.sample(words.SOUP_THINGS, 3)
    return [
        "it was a cold {season} evening, and {X} had nothing in the kitchen but a pot of water.",
        f"{{he}} put the pot on the fire. Then {{Y}} came, {{a_ynature}} {{ykind}}, with some {first}. "
        + '"[I have only this|may I come in]," said {Y}.',
        f'"put the {first} in the pot," said {{X}}. [Soon|A little later] {{his}} {{elder}} came with some {second}, and a neighbor brought {third}.',
        f"they put in the {second} and the {third}, and they [stirred|cooked] until [the windows were white with steam|the whole house smelled good].",
        '"[alone I had only water|nobody had enough for a meal]," said {X}, "[but together we have soup|but together it is a feast]."',
        "they [ate and talked|laughed and ate] until the pot was empty, and nobody was cold any more.",
    ]


def wish(s, rng):
    what, longing, true = rng.choice(words.WISHES)
    return [
        "one [clear|quiet] night {X} saw a falling star [over the roof|above the trees].",
        f"{{he}} closed {{his}} eyes and wished for {what}. More than anything {{he}} wanted {longing}.",
        '"[wishes need a little time|do not forget to help your wish]," said {his} {elder}.',
        "so every [day|morning] {X} [was kind to everyone|worked hard|waited at the window], and {he} did not forget the star.",
        "{Y}, {a_ynature} {ykind}, asked, " + f'"What did you wish for?" "{what}," whispered {{X}}.',
        f"{{morning}}, {{X}} [woke up early|heard a sound outside|opened the door], and {true}.",
        '"[my wish came true|the star heard me]!" cried {X}. {Y} [smiled|laughed] and said, "[I knew it|Stars are good listeners]."',
    ]


def lost_at_market(s, rng):
    return [
        "{morning}, {X} went to the market with {his} {elder}. There were so many things to see!",
        "{X} stopped to look at {a_toy}, and when {he} turned around, {his} {elder} was gone.",
        '"[where are you|hello]?" called {X}, but [the market was too loud|nobody answered].',
        "{X} [began to cry|felt very small]. Then a hand touched {his} shoulder. It was {Y}, {a_ynature} {ykind} who sold {food}.",
        '"[are you lost|why are you crying]?" asked {Y}. "I cannot find my {elder}," said {X}.',
        '"[stay here where everyone can see you|the best thing is to stay in one place]," said {Y}, and {yhe} [rang a small bell|lifted {him} onto a barrel].',
        "[soon|after a little while] {his} {elder} came running through the crowd. {ehe} held {X} [very tight|in {ehis} arms].",
        '"[I was so worried|I looked everywhere]," said {his} {elder}. ' + THANKS,
    ]


def bridge(s, rng):
    return [
        "{X} and {Y}, {a_ynature} {ykind}, lived on two sides of a stream, and they had [quarreled about {a_toy}|not spoken for a month].",
        "{morning}, [the water carried away|a storm broke] the little bridge between their houses.",
        '"[I do not care|I never use it]," said {X}. But the days were [long|empty] without a friend.',
        "one evening {he} [took a hammer and some boards|carried a plank to the water] and began to build.",
        "and who was building on the other side? It was {Y}!",
        '"I am sorry," said {X}. "[I am sorry too|so am I]," said {Y}. They [worked all night|met in the middle] and laughed.',
        "the new bridge was [stronger than the old one|a little crooked, but strong], and they crossed it every day.",
        "and the {toy}? They [shared it|gave it to a child who had none].",
    ]


PLOTS = [
    lost_thing, small_one_in_trouble, sharing, afraid, building, gift, garden, race, broken, trip, storm, new_friend,
    skill, night_noise, music, soup, wish, lost_at_market, bridge,
]
OUTDOORS = {lost_thing, small_one_in_trouble, sharing, race, trip, building, garden, lost_at_market}
MORALS = {
    lost_thing: ["two pairs of eyes see more than one", "a friend is worth more than a toy"],
    small_one_in_trouble: ["nobody is too small to help", "a good deed comes back one day"],
    sharing: ["everything tastes better when it is shared", "half a meal with a friend is a whole meal"],
    afraid: ["being brave means to try", "many fears are smaller than they look"],
    building: ["two can do more than one", "it is good to try again"],
    gift: ["the best gifts come from the heart", "a gift does not need money"],
    garden: ["good things take time", "patience makes things grow"],
    race: ["a friend is worth more than a prize", "it is good to stop for a friend"],
    broken: ["it is never too late to say sorry", "the truth makes the heart light"],
    trip: ["every path begins with one step", "there is always something new to find"],
    storm: ["a warm heart is the best house", "after every storm the sun comes back"],
    new_friend: ["a small hello can change a whole day", "nobody has to be alone"],
    skill: ["it is good to try again", "good things take time"],
    night_noise: ["many fears are smaller than they look", "it is easier to be brave together"],
    music: ["a song can warm a whole village", "small hands can do big things"],
    soup: ["together there is always enough", "everything tastes better when it is shared"],
    wish: ["a wish needs a little help", "good things take time"],
    lost_at_market: ["it is best to stay in one place when you are lost", "there are kind people everywhere"],
    bridge: ["it is never too late to say sorry", "a friend is worth more than a toy"],
}
