"""Names to combine into invented people, by the language of a family.

No name is a word that the product uses (Mark, May, Will, Day, …): a search for such a word must find the word.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Culture:
    """Names of one language; `share` is how often it is drawn, against the others."""

    language: str
    share: int
    first: tuple[str, ...]
    last: tuple[str, ...]


def _culture(language: str, share: int, first: str, last: str) -> Culture:
    return Culture(language, share, tuple(first.split()), tuple(name.replace("_", " ") for name in last.split()))


CULTURES: tuple[Culture, ...] = (
    _culture(
        "en",
        16,
        "Amelia Beatrix Callum Daisy Edwin Fergus Georgia Harriet Imogen Jasper Keira Lachlan Maisie Nathaniel "
        "Orla Poppy Quentin Rosalind Saoirse Theodore Ursula Violet Winifred Zachary Isla Rory",
        "Ashdown Barrowby Calloway Dunmore Eastlake Fairweather Greenhalgh Hollis Inchbald Jessop Kettering "
        "Lockhart Merriweather Northcott O'Connell Pemberton Quigley Radcliffe Sedgwick Thistlewood Underhill "
        "Vickery Whitlock Yardley MacAllister Featherstone",
    ),
    _culture(
        "es",
        9,
        "Álvaro Begoña Carlota Diego Elena Fermín Gonzalo Inés Íñigo Jimena Leandro Lucía Mateo Nerea Óscar "
        "Paloma Rocío Sebastián Tomás Ximena Yolanda Raúl",
        "Arévalo Beltrán Cárdenas Domínguez Echeverría Figueroa Galdós Herrero Ibáñez Jiménez Ledesma Montaño "
        "Núñez Olmedo Peñalver Quiñones Robledo Salcedo Tejada Urrutia Villaseñor Zúñiga",
    ),
    _culture(
        "fr",
        8,
        "Adèle Benoît Chloé Dorothée Éloïse Fabien Gaëlle Hélène Inès Jérémie Léonie Maël Noémie Océane Rémi "
        "Solène Théo Valentine Yanis Zélie Jean-Baptiste Anne-Laure",
        "Beaumont Chastain Delacroix Évrard Fontenay Garnier Hautecœur Joubert Lefèvre Marchand Noiret Ollivier "
        "Périgord Quesnel Rousselet Saint-Clair Thévenet Vasseur de_La_Tour Desrosiers",
    ),
    _culture(
        "de",
        8,
        "Anneliese Björn Clemens Dörte Emil Friederike Gregor Hannelore Ida Jürgen Käthe Lennart Mathilda Niklas "
        "Ottilie Philipp Rüdiger Sönke Theresa Ulrike Vinzenz Wiebke",
        "Ackermann Bäumler Dietrich Eichhorn Färber Grünwald Hölzl Jäger Krämer Löwenstein Müller-Stahl Nußbaum "
        "Oelmann Pfeiffer Rößler Schönfeld Trautmann Uhlig Vogelsang von_Arnsfeld Würtz Zöllner",
    ),
    _culture(
        "pt",
        6,
        "Afonso Beatriz Caetano Débora Estêvão Fabrício Graça Heitor Iara João Lívia Márcio Nádia Otávio Raquel "
        "Simão Tânia Úrsula Vinícius Conceição",
        "Abrantes Brandão Conceição Drummond Estrela Falcão Guimarães Leitão Magalhães Nóbrega Paixão Quintão "
        "Ramalho Sepúlveda Taveira Valadão Vasconcelos Simões",
    ),
    _culture(
        "pl",
        5,
        "Agnieszka Bartłomiej Celina Dobrosława Elżbieta Franciszek Grażyna Henryk Jagoda Kacper Łucja Małgorzata "
        "Nikodem Oliwia Przemysław Stanisław Świętosława Tymoteusz Wiktoria Żaneta",
        "Bączkowski Chmielewska Dąbrowski Góralczyk Jędrzejczak Kołodziej Łukasik Maciejewski Niedźwiedź "
        "Ośmiałowska Pękala Różycki Szczepański Święcicki Wróblewska Żeromska",
    ),
    _culture(
        "tr",
        5,
        "Ayşe Barış Cemre Çağlar Defne Emre Gökçe Hüseyin Işıl İpek Kerem Lâle Mert Nazlı Ömer Pınar Selin Şule "
        "Tuğba Ümit",
        "Akçay Bozdağ Çelik Demirtaş Erdoğdu Gündüz Işıklı Karaoğlu Koçak Özbek Sağlam Şimşek Tekin Uğurlu "
        "Yıldırım Zengin",
    ),
    _culture(
        "vi",
        4,
        "An Bảo Châu Dũng Giang Hạnh Khánh Linh Minh Ngọc Phúc Quỳnh Thảo Trâm Tuấn Vân Yến Đạt",
        "Nguyễn Trần Lê Phạm Hoàng Huỳnh Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Trương",
    ),
    _culture(
        "ja",
        5,
        "Akari Daichi Emi Fumiko Genta Haruto Itsuki Kaede Mei Naoki Rin Sakura Takumi Yui Yūto Ayaka Sōta Hina",
        "Arakawa Fujimori Hasegawa Inoue Kobayashi Matsuda Nakagawa Ōnishi Sakamoto Tanaka Uchida Watanabe "
        "Yoshikawa Shimizu Kuroda Morita",
    ),
    _culture(
        "ko",
        4,
        "Bo-ra Dae-hyun Eun-ji Ga-eun Ha-neul Ji-woo Joon-ho Min-seo Na-yeon Seo-yeon Sung-min Tae-yang Ye-jin Yu-na",
        "Bae Choi Han Hwang Jang Jeong Kang Kwon Lim Noh Oh Park Seo Shin Yoon",
    ),
    _culture(
        "zh",
        4,
        "Bingwen Chenxi Dongmei Fangyuan Haoran Jiayi Lihua Meiling Qingyun Ruoxi Shufen Tianyu Xiaoyan Yichen "
        "Zihan 思远 雨桐 子涵",
        "Bai Cheng Deng Fang Gao Huang Jiang Liang Ouyang Peng Qian Shen Tang Xie Xu Zhao 欧阳 林",
    ),
    _culture(
        "ar",
        6,
        "Amira Bassam Dalia Faris Ghada Hadi Iman Jamal Khadija Layla Mazen Nour Omar Rania Samir Tariq Yasmin "
        "Zayd ليلى كريم",
        "Al-Amin Al-Khatib Barakat Darwish El-Sayed Farouk Ghanem Haddad Ibn_Rashid Jaber Khalil Mansour Nasser "
        "Qasim Rahal Saleh Tawil Zaydan",
    ),
    _culture(
        "hi",
        6,
        "Aarav Bhavna Chetan Devika Esha Gaurav Harini Ishaan Jyoti Kavya Lakshmi Manish Neelam Ojas Pooja Rohan "
        "Shreya Tanvi Uday Vihaan",
        "Acharya Bhattacharya Chaudhary Deshpande Ganguly Iyer Joshi Kulkarni Mehrotra Naidu Pillai Raghunathan "
        "Sengupta Tripathi Upadhyay Venkataraman",
    ),
    _culture(
        "uk",
        3,
        "Андрій Богдана Вікторія Ганна Дмитро Єва Зоряна Ірина Леся Максим Назар Оксана Polina Roman Solomiya Taras",
        "Бондаренко Гончар Дорошенко Ївженко Коваленко Лисенко Мельник Остапчук Петренко Савчук Ткаченко Shevchuk "
        "Yaremchuk Zinchenko",
    ),
    _culture(
        "el",
        3,
        "Αλέξανδρος Δανάη Eleftheria Fotini Giorgos Ioanna Katerina Lefteris Μυρτώ Nikolas Pavlos Sofia Thanos "
        "Vasiliki",
        "Antoniadis Dimopoulou Economou Fotiadis Galanis Ιωάννου Kalogeropoulos Lambrou Μακρής Papadakis "
        "Stathopoulos Tsakiris Vlachos",
    ),
    _culture(
        "cs",
        3,
        "Božena Čeněk Dalibor Eliška František Hynek Jiřina Květa Luboš Matěj Naděžda Ondřej Řehoř Šárka Vojtěch Žofie",
        "Bělohlávek Čapková Dvořák Fišer Hájek Jelínek Kříž Lišková Němec Ondráček Růžička Šťastný Vondráčková Zelenka",
    ),
    _culture(
        "nl",
        3,
        "Anouk Bram Coen Daan Eefje Floris Geertje Hidde Iris Jorrit Lotte Maarten Noor Pleun Ruben Sanne Thijs Zoë",
        "van_der_Berg Bakker de_Groot Dijkstra Hoekstra van_Leeuwen Kuipers Mulder Oosterhuis Postma Schouten "
        "ten_Brink Vermeulen Wolters",
    ),
    _culture(
        "yo",
        3,
        "Adébáyọ̀ Bísí Dámilọ́lá Ẹniọlá Fọlákẹ́ Gbénga Ìbùkún Kẹ́hìndé Ngozi Olúwaṣeun Ṣadé Táíwò Wálé Yétúndé",
        "Adéyẹmí Balógun Èzè Fálọlá Ìdòwú Káyọ̀dé Ọdúnsì Okonkwo Ògúnlẹ́yẹ Ṣóyínká-Bello Túndé Chukwu",
    ),
    _culture(
        "is",
        2,
        "Ásgeir Björk Dagný Einar Freyja Guðrún Hrafn Ísold Katrín Loftur Ragnheiður Sigríður Þórdís Æsa Ögmundur",
        "Arnarsdóttir Baldursson Einarsdóttir Friðriksson Guðmundsson Hallgrímsdóttir Jónasson Ólafsdóttir "
        "Sæmundsson Þorvaldsson",
    ),
)
_SHARES = tuple(culture.share for culture in CULTURES)


def draw_culture(rng: Random) -> Culture:
    """One language of a family, the common ones more often."""
    return rng.choices(CULTURES, _SHARES)[0]


def draw_last_name(rng: Random, culture: Culture) -> str:
    """A family name, now and then of two."""
    if rng.random() < 0.06:
        one, two = rng.sample(culture.last, 2)
        return f"{one}-{two}" if "-" not in one + two else one
    return rng.choice(culture.last)


def draw_first_name(rng: Random, culture: Culture, *, taken: set[tuple[str, str]], last: str) -> tuple[str, str]:
    """First and last name that nobody in `taken` has; the answer is added to it."""
    for attempt in range(60):
        first = rng.choice(culture.first)
        if attempt >= 5:
            # A large school uses up a language's names: people then go by two, as they do.
            first = f"{first} {rng.choice(culture.first)}"
        if (first, last) not in taken:
            break
        if attempt >= 30:
            last = f"{last.split('-')[0]}-{rng.choice(culture.last).split('-')[0]}"
    taken.add((first, last))
    return first, last
