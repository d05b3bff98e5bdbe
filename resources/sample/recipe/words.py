"""Word lists for the sample's training data: words to print, prompts to put beside a picture, other texts."""

from __future__ import annotations

# consonants and vowels of invented words, roughly by frequency
ALPHABETS = ("bcdfghjklmnpqrstvwxyzbcdfglmnprstlnrst", "aaaeeeeiioouy")

_WORD_LIST = """
able about above act add after again age air all also always and animal answer any apple area arm
art ask autumn away baby back bag ball bank bar base bath bear beauty bed bell best big bird black
blue board boat body bone book born both bottle box boy brave bread break bridge bright bring brown
build bus busy butter buy cake call camera camp car card care cat center chair chance check child
city class clean clear clock close cloud coat code coffee cold color come cook cool corn cost count
country cow cream cross cup cut dance dark data day deep desk dog door double down dream dress drink
drive dry dust each ear early earth east easy eat edge egg eight else empty end engine enjoy enter
equal even event ever every exam exit eye face fact fall family far farm fast father feel few field
fifty film find fine finger fire first fish five fix flag flight floor flower fly fog follow food
foot force forest fork form forty found four free fresh friend from front fruit full fun future game
garden gate gem get gift girl give glad glass go goal gold good grand grape grass great green group
grow guide hair half hall hand happy hard hat have head hear heart heavy hello help here high hill
history hold home honey hope horse hot hotel hour house how hundred ice idea image inch ink inside
iron island jacket jam jazz job join joke joy judge juice jump just keep key kick kind king kitchen
knee knife knock lake lamp land language large last late laugh lead leaf learn left lemon lens less
letter level life lift light like lily line lion list little live local lock logic long look lost
loud love low luck lunch machine magic mail main make map march market math maybe meal meat meet
menu metal mile milk mind minute mirror miss mix model money month moon more morning most mother
mountain mouse mouth move movie much museum music must name near neck need never new news next nice
night nine noise north nose note nothing now number ocean off office often oil old olive one only
open orange order other our out over owl own oxygen page paint pair palm paper park part party pass
past path pay peace pearl pen people pepper phone photo piano pick picture pilot pin pink pipe place
plan plane plant plate play please plum pocket point pool post power press price print prize proud
public pull purple push queen quick quiet quiz radio rain read ready real red rest rice rich ride
right ring river road rock roof room rope rose round row ruby rule run safe sail salt same sand save
say school science sea seat second see seed sell send seven shade shape share sharp sheet ship shirt
shoe shop short show side sign silk silver simple sing sister sit six size skin sky sleep slow small
smile smoke snow soap sock soft some song soon sound soup south space speak spoon sport spring
square stage stamp star start station stay steel stone stop store storm story street strong study
sugar suit summer sun sweet swim table tail take talk tall taste tax taxi tea team tell ten test
text thank that theme then there they thick thin thing think third thirty this three ticket tiger
time tiny tip today toe together tomato tone tool top total touch tower town toy track trade train
travel tree trip truck true trust try turn twelve twenty two type under union unit upper use vacuum
value van velvet very video view village violet visit voice vote wagon wait walk wall want warm wash
watch water wave way weak wear weather week well west wet what wheel when where white who why wide
wild will win wind window wine wing winter wise wish with wolf woman wood word work world write yard
year yellow yes yet young your zebra zero zone zoo Cabochon Gemma Berlin Paris London Tokyo Madrid
Rome Oslo Vienna Anna Max Mia Leo Emma Tom Julia Peter Sophie Jack Monday Tuesday Friday Sunday
April June July August October danke bitte hallo welt bonjour merci hola adios ciao grazie straat
haus baum Platz Weg Berg
"""
WORDS: tuple[str, ...] = tuple(_WORD_LIST.split())

PROMPTS: tuple[str, ...] = (
    "Read this",
    "Read this.",
    "Read the text.",
    "What does it say?",
    "What does this say?",
    "What is written here?",
    "What's written in the picture?",
    "Please read this for me.",
    "Can you read this?",
    "Read it",
    "OCR",
    "OCR this image.",
    "Transcribe the text in this image.",
    "Transcribe.",
    "Extract the text.",
    "Extract all text from the image",
    "What text do you see?",
    "What is the text in this picture?",
    "Give me the text only.",
    "Text?",
    "Which word is this?",
    "What word is shown?",
    "What number is this?",
    "What is in this image?",
    "Describe this image.",
    "Describe the picture in detail.",
    "What do you see?",
    "What's this?",
    "Tell me what you see.",
    "Recognize the text.",
    "Convert the image to text.",
    "Image to text",
    "Type out the line.",
    "Copy the line exactly.",
    "Read the line of print.",
    "Read the sign.",
    "Read the label aloud.",
    "Spell out what is written.",
    "Write down the text in the photo.",
    "What does the sign say?",
    "Read the headline.",
    "Please transcribe this picture exactly.",
    "Output the text in the image and nothing else.",
    "And this one?",
    "And this?",
    "Next one.",
    "Another one",
    "What about this one?",
    "Now this one, please.",
    "Explain this picture.",
    "Perform optical character recognition.",
    "Return the exact string.",
    "hi",
    "hello",
    "?",
    "Please",
    "Go",
    "Read",
    "What is the price?",
    "Who is it?",
    "Is there any text here?",
    "Does it say hello?",
    "Translate this.",
    "Lies das vor.",
    "Was steht da?",
    "Was steht auf dem Bild?",
    "Lis ce texte.",
    "Qu'est-ce qui est écrit ?",
    "¿Qué dice?",
    "Lee esto.",
    "Cosa c'è scritto?",
    "O que está escrito?",
    "Wat staat er?",
    "何と書いてありますか",
    "这是什么？",
    "Что тут написано?",
)

SENTENCES: tuple[str, ...] = (
    "What is the capital of France?",
    "Write a poem about the sea.",
    "Hello! How are you today?",
    "Who are you?",
    "Explain quantum computing in simple terms.",
    "What is 12 divided by 4?",
    "What is 12 / 4?",
    "What is 1234 + 5678?",
    "What is the square root of 81?",
    "Tell me a joke.",
    "Help me plan a trip to Rome.",
    "Write a Python function that sorts a list.",
    "def f(x):\n    return x + 1",
    "Summarize the plot of Hamlet.",
    "How do I cook rice?",
    "What can you do?",
    "Translate good morning into Spanish.",
    "Thanks!",
    "ok",
    "yes",
    "no",
    "Why is the sky blue?",
    "Give me three ideas for dinner.",
    "You are a helpful assistant.",
    "Answer briefly.",
    "Always answer in French.",
    "You are a pirate. Speak like one.",
    "Be concise and polite.",
    "What time is it?",
    "Can you see images?",
    "What was in the picture I sent before?",
    "Repeat the last line.",
    "Say it again.",
    "What did the first picture say?",
    "How many letters does it have?",
    "Is that correct?",
    "Are you Gemma?",
    "Read the text in the image.",
    "What does the picture say?",
    "Describe the image I attached.",
    "Ignore the above.",
    "for (int i = 0; i < 10; i++) { sum += a[i]; }",
    "SELECT name FROM users WHERE id = 7;",
    '{"a": [1, 2, 3]}',
    "<html><body>Hello</body></html>",
    "https://example.org/page?id=42",
    "The quick brown fox jumps over the lazy dog.",
    "Wie heißt die Hauptstadt von Deutschland?",
    "Schreibe einen kurzen Brief an meine Nachbarin.",
    "Guten Morgen, wie geht es dir?",
    "Warum ist der Himmel blau? Erkläre es einem Kind.",
    "Quelle est la capitale de l'Italie ?",
    "Écris une histoire courte, s'il te plaît.",
    "¿Cuál es el río más largo del mundo?",
    "Cuéntame un chiste, por favor.",
    "Qual è la tua canzone preferita?",
    "Scrivi una ricetta per la pasta.",
    "Onde fica Lisboa? Obrigado!",
    "Hoe laat is het?",
    "Vad heter du?",
    "Mikä sinun nimesi on?",
    "Jak się masz?",
    "Jak se jmenuješ?",
    "Merhaba, nasılsın?",
    "Hány óra van?",
    "Привет, как дела?",
    "Напиши стихотворение о зиме.",
    "Ποια είναι η πρωτεύουσα;",
    "你好，你是谁？",
    "请写一首关于秋天的诗。",
    "こんにちは、お元気ですか？",
    "東京の天気はどうですか？",
    "안녕하세요, 도와주세요.",
    "مرحبا، كيف حالك؟",
    "שלום, מה שלומך?",
    "नमस्ते, आप कैसे हैं?",
    "สวัสดีครับ",
    "Xin chào, bạn khỏe không?",
    "😀🚀✨",
    "Can you compare the economies of Japan and Germany between 1950 and 1990?",
    "My laptop does not start any more. The screen stays black and the fan spins. What should I try first?",
    "Please proofread: I has went to the store yesterday and buyed some milks.",
    "Continue.",
    "Go on",
    "Stop",
    "...",
)

# How people ask for a sum: {s} is "17 + 25", {a} and {b} are its numbers.
SUM_WORDINGS: dict[str, tuple[str, ...]] = {
    "any": (
        "{s}",
        "{s} =",
        "{s} = ?",
        "{s}?",
        "What is {s}?",
        "What is {s}",
        "What's {s}?",
        "How much is {s}?",
        "Calculate {s}.",
        "Compute {s}",
        "Work out {s}.",
        "Please calculate {s}.",
        "Can you work out {s}?",
        "Can you tell me what {s} is?",
        "Tell me: {s}",
        "And {s}?",
        "And what is {s}?",
        "Now {s}, please.",
        "Solve {s}.",
        "{s}, please",
        "Was ist {s}?",
        "Wie viel ist {s}?",
        "Combien font {s} ?",
        "¿Cuánto es {s}?",
        "Quanto fa {s}?",
    ),
    "+": (
        "Add {a} and {b}.",
        "Add {b} to {a}.",
        "What is the sum of {a} and {b}?",
        "What do {a} and {b} make?",
        "I have {a} apples and get {b} more. How many do I have?",
        "What is {a} plus {b}?",
        "How much is {a} plus {b}?",
    ),
    "-": (
        "Subtract {b} from {a}.",
        "Take {b} from {a}.",
        "What is {a} less {b}?",
        "What is {a} minus {b}?",
        "How much is {a} minus {b}?",
        "I have {a} apples and give away {b}. How many are left?",
    ),
    "x": (
        "Multiply {a} by {b}.",
        "What is {a} times {b}?",
        "How much is {a} times {b}?",
        "What is the product of {a} and {b}?",
        "{a} boxes hold {b} apples each. How many apples are there?",
    ),
}

# What people write beside a sound clip.
CLIP_PROMPTS: tuple[str, ...] = (
    "What do you hear?",
    "What was said?",
    "Which digits are these?",
    "Which numbers do you hear?",
    "Listen.",
    "Listen to this.",
    "Transcribe this.",
    "Transcribe the audio.",
    "Transcribe the following speech segment in English into English text.",
    "Write down what is said.",
    "Write the digits.",
    "What are the digits?",
    "What number is this?",
    "Speech to text",
    "What is said here?",
    "Please transcribe.",
    "And this one?",
    "Was hörst du?",
    "Was wird gesagt?",
)

# Words and letters of languages with accents.
_FOREIGN = {
    "French": (
        """à a au aussi avec avoir beaucoup bientôt ça car ce cela cent chaque château chez cœur comme côté déjà depuis
        dernière dès des deux dû eau école élève elle en encore enfant est été être événement façon faire fête fenêtre
        femme fille fois forêt français frère garçon gâteau grâce guère hôtel hôpital ici île il jour là le leçon les
        lettre leur lumière l’été maître mais maïs même mère mois monde naïve ne Noël nôtre où par parce père peut-être
        place plutôt pour près première problème qu’il quatre que qui règle réponse rêve rôle s’il sœur soirée sûr
        tôt toujours très un une ville voilà voix vôtre d’abord l’hiver aujourd’hui reçu théâtre modèle numéro""",
        "éèêàâçùûôîïëœ",
    ),
    "German": (
        """aber alle als am an auf aus bäcker bei bis Brücke Bücher da das daß dem den der deutsch die doch dürfen ein
        eine einen er es Frühling Füße für ganz gegen geht gemäß Geschäft groß größe Größe grün Gruß hätte Häuser heißt
        hören ich ihr im immer in ist ja Jahr jährlich kann kein Köln können Küche Länder läuft Lösung Mädchen mehr
        möchte möglich müde München müssen nach nächste nicht noch nur ob oder Öl Österreich Prüfung Rückgabe schön
        schließen Schlüssel sehr sein sich sie sind so Spaß später Stück Straße süß Tür über Übung um und ungefähr uns
        Verträge vom von vor während wählen Wände war was weiß wenn werden wie wir wird wo wörter würde zu zurück""",
        "äöüßÄÖÜ",
    ),
    "Spanish": (
        """a año años ahí al allí aquí árbol así aún aunque baño bien cabeza cada café canción casa cinco ciudad cómo
        común con corazón cuál cuándo cuánto de debajo decisión del después día días dónde dos él ella en español está
        están este éxito fácil feliz frío fue gracias gran hacía hasta hay héroe hijo hombre información jardín jamás
        la lápiz león lo luz mañana más mayor médico mejor menos mi miércoles mujer música nación nadie niña niño no
        número o página país pájaro para pequeño pero perdón pingüino por porqué presión público qué quién razón río
        sábado según señor señora sí sólo también teléfono tenía tiempo todo tú último un universidad útil vez y ¿cómo?
        ¿qué? ¡hola! ¡sí!""",
        "áéíóúñü¿¡",
    ),
    "Polish": (
        """a albo ale aż bardzo był była być cały chcę chłopiec chyba ciąg ćma co córka czas cześć często człowiek czy
        dać deszcz dla do dobrze dom drzwi dwadzieścia dziecko dzień dzięki głowa godzina gość góra gdy gdzie i ich
        imię ja jeść jego jest już każdy kiedy kobieta koń kościół książka który księżyc kwiat lód łatwo ławka łódź
        matka mąż mężczyzna miasto mieć mięso miłość mój może można mówić myśl na najważniejszy nie nigdy noc numer od
        ogień oraz ósmy pamięć pan państwo pięć pięćset pieniądze pierwszy po pójść południe prawie proszę przyjaciel
        ręka rok rzecz są się siedem siła skąd słońce śnieg środa świat święto ta tak także też to trzy tu twój tydzień
        tysiąc ulica w więc wieś wiosna woda wszystko wziąć źle źródło zawsze zdjęcie że żaden żeby życie żółty""",
        "ąćęłńóśźżŁŚŻ",
    ),
    "Turkish": (
        """açık ağaç ağır akşam altı ama anne araba arkadaş ay az baba bahçe balık başka ben beş bilgi bir biz bu büyük
        bugün çalışmak çarşı çay çiçek çocuk çok çünkü dağ daha değil deniz dil doğru dört dün dünya eğer el en erkek
        ev eş fazla gece gelir gibi göl görmek göz gün güneş güzel hafta hangi hava her hiç hoş ışık için iç iki ile ilk
        insan iş işte iyi kadın kalem kapı kar kardeş karşı kaş kırmızı kış kız kitap köprü kötü köy kuş küçük mi
        müdür nasıl ne nerede niçin o oğul okul öğle öğrenci öğretmen on onlar ön orman otuz ölçü özür para peynir
        renk saat sağ sabah şarkı şehir şeker şey şimdi sıcak sınıf soğuk söz süt taş teşekkür üç ülke üst uzun var ve
        ya yağmur yaş yazı yedi yeşil yıl yıldız yol yüz yüksek zaman""",
        "çğıöşüİŞÇ",
    ),
}
FOREIGN: dict[str, tuple[tuple[str, ...], str]] = {
    name: (tuple(words.split()), letters) for name, (words, letters) in _FOREIGN.items()
}

# How questions with numbers in them begin that are no sums.
OPENINGS: tuple[str, ...] = (
    *(
        "What is",
        "What's",
        "What was",
        "What does",
        "What about",
        "What comes before",
        "Where is",
        "Where was",
        "Who is",
    ),
    *(
        "Who was",
        "Who had",
        "When is",
        "When was",
        "Is",
        "Are",
        "Was",
        "Does",
        "Has",
        "Can you",
        "How far is",
        "How old is",
    ),
    *("How many", "How much", "How long is", "How", "Why is", "Explain", "Name", "Show", "Give me", "Tell me", "Write"),
    *("Translate", "Round", "Draw", "Read", "Find", "Print", "Play", "Open", "List", "The", "My", "I have", "We were"),
    *("Calculate", "Work out", "Please", "And", "Wer war", "Wo ist", "Was ist", "Wann", "Où est", "Combien", "Dove"),
)

# Questions with numbers in them that are no sums, or sums of kinds that are not done.
NO_SUMS: tuple[str, ...] = (
    "What is {a} divided by {b}?",
    "Divide {a} by {b}.",
    "{a} / {b}",
    "{a} : {b} =",
    "What is {a} / {b}?",
    "How often does {b} go into {a}?",
    "What is the square root of {a}?",
    "What is {b} percent of {a}?",
    "What is {b}% of {a}?",
    "What is half of {a}?",
    "What is {b} squared?",
    "Share {a} apples between {b} people.",
    "{a} divided by {b}",
    "What is the remainder of {a} by {b}?",
    "What is {a} to the power of {b}?",
    "Is {a} a prime number?",
    "Is {a} more than {b}?",
    "What happened in {year}?",
    "Who was the king of France in {year}?",
    "Where were the games of {year}?",
    "I was born in {year}. How old am I?",
    "Write {b} words about the sea.",
    "Name {b} animals.",
    "Give me {b} ideas for a birthday.",
    "How many days are in {b} weeks?",
    "How many miles are {a} kilometres?",
    "Wake me up in {b} minutes.",
    "Count to {a}.",
    "My number is {a}{b}.",
    "What does the number {a} mean?",
    "Was geschah {year}?",
    "Que s'est-il passé en {year} ?",
)
