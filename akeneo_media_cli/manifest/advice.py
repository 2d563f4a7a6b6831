"""What to add to the command for a table whose columns have names of their own."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from .columns import GROUPS, LONGEST_NAME, near_miss

_NOT_LETTERS = re.compile(r"[\W_]+")
_WORDS = {
    "product": (
        "itemnumber itemno item itemcode articlenumber article articleno productcode productid "
        "productnumber skucode partnumber artikelnummer artikelnr artnr artikel produkt produktnummer "
        "produktnr produktcode artikelcode bestellnummer reference ref refproduit referenceproduit "
        "referencearticle codeproduit codearticle produit articulo codigo codigoarticulo "
        "codigoproducto referencia producto codice codicearticolo codiceprodotto articolo prodotto "
        "riferimento productnummer itemnummer materialnummer"
    ),
    "product_model": (
        "model modelcode parentsku productmodelcode produktmodell modell modelleproduit modele "
        "modeleproduit codemodele modelo modeloproducto modello modelloprodotto"
    ),
    "file": (
        "filename image picture photo img path filepath imagefile imagepath imagename datei dateiname "
        "bild bilddatei bildname hauptbild produktbild pfad dateipfad foto abbildung fichier "
        "nomfichier nomdufichier photographie chemin archivo fichero nombrearchivo nombredearchivo "
        "imagen ruta immagine nomefile percorso fotografia bestand bestandsnaam afbeelding pad "
        "bestandspad"
    ),
    "attribute": (
        "attributecode field attribut attributcode merkmal eigenschaft feld codeattribut champ "
        "atributo codigoatributo campo attributo codiceattributo attribuut kenmerk veld"
    ),
    "locale": (
        "language lang languagecode sprache lokale sprachcode langue codelangue idioma lingua taal taalcode"
    ),
    "scope": ("channelcode kanal vertriebskanal canal canale kanaal"),
    "category": ("categorycode kategorie categorie categoria"),
}
"""What people call the known columns in English, German, French, Spanish, Italian and Dutch."""
_MEANT = {word: column for column, words in _WORDS.items() for word in words.split()}
_TARGETS = frozenset(GROUPS)
_A_FILE = re.compile(
    r"[^\r\n]*\.(?:jpe?g|jfif|png|gif|tiff?|webp|bmp|svg|psd|eps|ai|heic|pdf|mp4|mov|avi|webm|mp3|wav|zip)\s*",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w.=+:@%/-]+")
_CODE = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+){0,2}")


def meant(name: str) -> str | None:
    """The known column that a name in another language, or another word, probably stands for."""
    if len(name) > LONGEST_NAME:
        return None
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return _MEANT.get(_NOT_LETTERS.sub("", letters.casefold()))


def to_map(name: str, column: str) -> str:
    """The option that gives a column its name, as a shell takes it."""
    text = f"{name}={column}"
    return f"--map {text if _PLAIN.fullmatch(text) else shlex.quote(text)}"


def for_columns(names: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """By known column that is lacking: the first of `names` that probably stands for it."""
    found: dict[str, str] = {}
    has_target = not _TARGETS.isdisjoint(known)
    for name in names:
        column = meant(name)
        if column is None or column in known or (has_target and column in _TARGETS):
            continue
        if column in _TARGETS and not _TARGETS.isdisjoint(found):
            continue
        found.setdefault(column, name)
    return found


def for_no_file(names: Sequence[str], known: Mapping[str, str], sample: Sequence[Sequence[str]] = ()) -> str:
    """What to add for a table in which no column names the files.

    `names` are its columns, `known` those that have a meaning, by it; `sample` are its first rows, which may
    show what holds files.
    """
    free = [name for name in names if name and name not in known.values()]
    slip = next((name for name in free if near_miss(name) == "file"), None)
    if slip is not None:
        return f"Did you mean `file` by `{slip[:LONGEST_NAME]}`? Rename it, or add: {to_map(slip, 'file')}"
    named = for_columns(free, known)
    holding = [name for name in _with_files(names, sample) if name in free or known.get("filename") == name]
    others = {name for column, name in named.items() if column != "file"}
    holding = [name for name in holding if name not in others]
    wide = [name for name in holding if _CODE.fullmatch(name)]
    file = named.get("file") or (holding[0] if len(holding) == 1 else None)
    if file is None and known.get("filename") and not holding:
        file = known["filename"]
    options = [to_map(name, column) for column, name in named.items() if column != "file"]
    out = ""
    if file is not None and len(wide) < 2:
        options.append(to_map(file, "file"))
        if "attribute" not in known and "attribute" not in named:
            options.append("--set attribute=CODE")
        out = f"If `{file[:LONGEST_NAME]}` holds the files, add: {' '.join(options)}. "
    if wide:
        columns = ",".join(wide[:20])
        mapped = "".join(f" {option}" for option in options if option.endswith("=product"))
        out += (
            f"If each of these columns is an attribute with a file in each cell, add: "
            f"--format akeneo --columns {shlex.quote(columns)}{mapped}. "
        )
    return out


def _with_files(names: Sequence[str], sample: Sequence[Sequence[str]]) -> list[str]:
    """The columns whose cells, where they are filled, are files by their extension."""
    found = []
    for at, name in enumerate(names):
        filled = [cells[at].strip() for cells in sample if at < len(cells) and cells[at].strip()]
        if name and filled and all(_A_FILE.fullmatch(text[:1000]) for text in filled):
            found.append(name)
    return found
