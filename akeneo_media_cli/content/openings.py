"""What PHP takes a file for by how it begins: the table behind `fileinfo`.

Each row: the type to PHP 8.2, the type to PHP 8.4 (None for the same, "" where a version knows no such
opening), and the openings. Made by asking both PHPs, not read off a document. Short openings catch texts:
`Article;Price` is news, `ID;Price` a SYLK sheet, `GDF` an EEG recording.
"""

from __future__ import annotations

from typing import NamedTuple


class Opening(NamedTuple):
    """A file that begins with `start` has the type `php82` to PHP 8.2; "" for none."""

    start: bytes
    php82: str
    php84: str


_ROWS: tuple[tuple[str, str | None, tuple[bytes, ...]], ...] = (
    # Pictures
    ("image/gif", None, (b"GIF8",)),
    ("image/png", None, (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",)),
    ("image/tiff", None, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("image/x-canon-cr2", None, (b"II*\0\x10\0\0\0CR",)),
    ("image/x-canon-crw", None, (b"II\x1a\0\0\0HEAPCCDR",)),
    ("image/x-olympus-orf", None, (b"IIRO", b"IIRS", b"MMOR")),
    ("image/x-fuji-raf", None, (b"FUJIFILMCCD-RAW",)),
    ("image/x-x3f", None, (b"FOVb",)),
    ("image/jxr", None, (b"II\xbc\x01",)),
    ("image/jxl", None, (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
    ("", "image/x-jp2-codestream", (b"\xff\x4f\xff\x51\0",)),
    ("image/x-xcf", None, (b"gimp xcf",)),
    ("image/x-exr", None, (b"v/1\x01",)),
    ("", "image/vnd.radiance", (b"#?RADIANCE\n",)),
    ("", "image/x-qoi", (b"qoif",)),
    ("image/bpg", None, (b"BPG\xfb",)),
    ("image/x-icns", None, (b"icns",)),
    ("image/x-dpx", None, (b"SDPX", b"XPDS")),
    ("image/fits", None, (b"SIMPLE  =",)),
    ("image/x-corel-cpt", None, (b"CPT",)),
    ("image/x-corel-bmf", None, (b"@CorelBMF\n\rCorel Corporation",)),
    ("image/x-paintnet", None, (b"PDN3",)),
    ("image/x-pgf", None, (b"PGF",)),
    ("image/x-pcx", None, (b"\x0a\x02\x01", b"\x0a\x03\x01", b"\x0a\x04\x01", b"\x0a\x05\x01")),
    ("image/x-eps", "", (b"\xc5\xd0\xd3\xc6",)),
    ("image/wmf", "", (b"\xd7\xcd\xc6\x9a\0\0",)),
    ("image/x-xv-thumbnail", None, (b"P7 332",)),
    ("image/x-miff", None, (b"id=ImageMagick",)),
    ("image/x-niff", None, (b"IIN1",)),
    ("image/x-unknown", None, (b"FGF95a", b"GIF94z", b"PBF")),
    ("", "image/x-hsi", (b"hsi1",)),
    ("", "image/cgm", (b"begmf",)),
    ("", "image/x-ilab", (b"B&W256",)),
    ("", "image/x-ulead-pe3", (b"IIO1$",)),
    ("", "image/x-ulead-pe4", (b"IIO2H",)),
    ("", "image/x-godot-stex", (b"GDST", b"GST2")),
    ("image/vnd.dwg", None, (
        b"AC1.2", b"AC1.3", b"AC1.40", b"AC1.50", b"AC2.10", b"AC2.21", b"AC2.22", b"MC0.0",
        b"AC1001", b"AC1002", b"AC1003", b"AC1004", b"AC1006", b"AC1009", b"AC1012", b"AC1013", b"AC1014",
        b"AC1015", b"AC1018", b"AC1021", b"AC1024", b"AC1027", b"AC1032", b"AC1035")),
    # Documents
    ("application/pdf", None, (b"%PDF-", b"\n%PDF-", b"\xef\xbb\xbf%PDF-")),
    ("application/vnd.fdf", None, (b"%FDF-",)),
    ("application/postscript", None, (b"%!", b"\x04%!")),
    # Fonts of Adobe have no type.
    ("", None, (b"%!PS-AdobeFont-1.", b"%!FontType1")),
    ("text/rtf", None, (b"{\\rtf", b"{\\urtf")),
    ("application/x-pocket-word", None, (b"{\\pwd",)),
    ("application/msword", None, (b"\xdb\xa5-\0",)),
    ("application/x-mswrite", None, (b"1\xbe\0\0\0\xab",)),
    ("application/vnd.mif", None, (b"<MIFFile",)),
    ("application/x-mif", None, (
        b"<BookFile", b"<MML", b"<Maker Intermediate Print File", b"<MakerDictionary", b"<MakerFile",
        b"<MakerScreenFont")),
    ("application/x-scribus", None, (b"<SCRIBUSUTF8NEW Version",)),
    ("application/x-stargallery-sdg", None, (b"SGA3",)),
    ("application/x-sylk", None, (b"ID;P",)),
    # Sound and film
    ("audio/flac", None, (b"fLaC",)),
    ("audio/basic", None, tuple(b".snd\0\0\0" + bytes((each,)) for each in (24, 26, 28, 30, 32, 36, 40, 44))),
    ("audio/x-w64", None, (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0",)),
    ("audio/vnd.dolby.dd-raw", None, (b"\x0b\x77",)),
    ("application/vnd.rn-realmedia", None, (b".RMF\0\0\0",)),
    ("audio/midi", None, (b"MThd",)),
    ("audio/amr", None, (b"#!AMR",)),
    ("audio/x-ape", None, (b"MAC ",)),
    ("audio/x-musepack", None, (b"MP+", b"MPCK")),
    ("audio/x-mod", None, (b"Extended Module:", b"IMPM")),
    ("audio/x-unknown", None, (b"CTMF", b"Creative Voice File", b"SBI")),
    ("audio/x-hx-aac-adif", None, (b"ADIF",)),
    ("audio/x-bcstm", None, (b"CSTM",)),
    ("audio/x-bcwav", None, (b"CWAV",)),
    ("audio/x-bfstm", None, (b"FSTM",)),
    ("audio/x-brstm", None, (b"RSTM",)),
    ("audio/x-sap", None, (b"SAP\r\n",)),
    ("audio/x-vgm", None, (b"Vgm ",)),
    ("", "audio/x-dsf", (b"DSD ",)),
    ("video/x-flv", None, (b"FLV\x01",)),
    ("video/x-ms-asf", None, (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",)),
    ("video/mpeg", None, (b"\0\0\x01\xba", b"\0\0\x01\xb3")),
    ("video/x-mng", None, (b"\x8aMNG",)),
    ("video/x-jng", None, (b"\x8bJNG",)),
    ("video/x-ifo", None, (b"DVDVIDEO-VMG", b"DVDVIDEO-VTS")),
    ("video/x-sgi-movie", None, (b"MOVI",)),
    ("", "video/x-ivf", (b"DKIF",)),
    ("application/mxf", None, (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02",)),
    # Three dimensions
    ("", "model/gltf-binary", (b"glTF\x01\0", b"glTF\x02\0")),
    ("model/e57", None, (b"ASTM-E57",)),
    ("", "application/x-blender", (b"BLENDER",)),
    # Archives, programs, fonts
    ("application/gzip", None, (b"\x1f\x8b",)),
    ("application/x-compress", None, (b"\x1f\x9d",)),
    ("application/x-bzip2", None, (b"BZh",)),
    ("application/x-bzip", None, (b"BZ0",)),
    ("application/x-xz", None, (b"\xfd7zXZ\0",)),
    ("application/zstd", None, (b"\x28\xb5\x2f\xfd",)),
    ("application/x-7z-compressed", None, (b"7z\xbc\xaf\x27\x1c",)),
    ("application/x-rar", None, (b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\x01\0", b"RE~^")),
    ("application/x-lzip", None, (b"LZIP",)),
    ("application/x-lrzip", None, (b"LRZI",)),
    ("application/x-qpress", None, (b"qpress10",)),
    ("application/x-xar", None, (b"xar!",)),
    ("application/x-stuffit", None, (b"SIT!", b"StuffIt")),
    ("application/x-archive", None, (b"!<arch>\n", b"<ar>")),
    ("", "application/x-cpio", (b"070701", b"070702", b"070707")),
    ("", "application/x-compress-jar", (b"JARCS",)),
    ("", "application/x-installshield", (b"ISc(",)),
    ("", "application/vnd.sar", (b"CAR 2.01",)),
    ("application/x-chrome-extension", None, (b"Cr24",)),
    ("application/x-rpm", None, (b"drpm", b"\xed\xab\xee\xdb")),
    ("", "application/wasm", (b"\0asm",)),
    ("application/x-gettext-translation", None, (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde")),
    ("application/vnd.ms-opentype", None, (b"OTTO",)),
    ("font/woff", None, (b"wOFF",)),
    ("font/woff2", None, (b"wOF2",)),
    ("font/ttf", None, (b"ttcf\0\x01\0\0", b"ttcf\0\x02\0\0")),
    ("application/x-bittorrent", None, (b"d13:announce-list", b"d4:info", b"d7:comment", b"d8:announce")),
    ("application/x-sqlite3", "application/vnd.sqlite3", (b"SQLite format 3",)),
    ("", "application/vnd.ms-outlook", (b"!BDN",)),
    ("", "application/x-bplist", (b"bplist00",)),
    # What only texts begin with, or nobody uploads: each of these words costs a text its type
    ("application/pgp-encrypted", None, (b"-----BEGIN PGP MESSAGE-",)),
    ("application/pgp-signature", None, (b"-----BEGIN PGP SIGNATURE-",)),
    ("application/pgp-keys", None, (
        b"-----BEGIN PGP PRIVATE KEY BLOCK-", b"-----BEGIN PGP PUBLIC KEY BLOCK-")),
    ("application/warc", None, (b"WARC/",)),
    ("application/x-avira-qua", None, (b"AntiVir Qua",)),
    ("application/x-avm-export", None, (b"**** FRITZ!Box ",)),
    ("application/x-clamav", None, (b"ClamAV-VDB:",)),
    ("application/x-dmp", None, (b"MDMP",)),
    ("application/x-gdbm", None, (b"GDBM",)),
    ("application/x-garmin-rgn", None, (b"KpGr",)),
    ("application/x-ia-arc", None, (b"filedesc://",)),
    ("application/x-innosetup", None, (b"Inno Setup Uninstall Log (b)",)),
    ("application/x-maxis-dbpf", None, (b"DBPF",)),
    ("application/x-ms-mig", None, (b"1giM",)),
    ("application/x-nes-rom", None, (b"TNES",)),
    ("application/x-putty-private-key", None, (b"PuTTY-User-Key-File-",)),
    ("application/x-svr4-package", None, (b"# PaCkAgE DaTaStReAm",)),
    ("application/x-virtualbox-vhd", "", (b"connectix",)),
    ("", "application/x-virtualbox-vhd", (b"conectix",)),
    ("application/x-winhelp-fts", None, (b"tfMR",)),
    ("audio/x-xbox-executable", None, (b"XBEH",)),
    ("audio/x-xbox360-executable", None, (b"XEX1", b"XEX2")),
    ("", "application/mathematica", (b"Content-type: application/mathematica",)),
    ("", "application/x-atari-lynx-rom", (b"LYNX",)),
    ("", "application/x-matlab-data", (b"MATLAB",)),
    ("", "application/x-grub-keyboard", (b"GRUBLAYO",)),
    ("", "application/x-sqlite2", (b"** This file contains an SQLite",)),
    ("", "application/vnd.cups-ppd", (b"*PPD-Adobe: ",)),
    ("", "text/x-ms-rdp", (b"screen mode id:i:",)),
    ("", "text/vnd.familysearch.gedcom", (b"0 HEAD",)),
    ("biosig/abf2", None, (b"ABF ",)),
    ("biosig/alpha", None, (b"ALPHA-TRACE-MEDICAL",)),
    ("biosig/ates", None, (b"ATES MEDICA SOFT. EEG for Windows",)),
    ("biosig/atf", None, (b"ATF\t",)),
    ("biosig/axg", None, (b"axgx",)),
    ("biosig/axona", None, (b"ADU1", b"ADU2")),
    ("biosig/bci2000", None, (b"BCI2000V",)),
    ("biosig/brainvision", None, (b"Brain Vision Data Exchange Marker File, Version",)),
    ("biosig/ced", None, (b"CEDFILE",)),
    ("biosig/ced-smr", None, (b"(C) CED 87",)),
    ("biosig/demg", None, (b"DEMG",)),
    ("biosig/edf", None, (b"0       ",)),
    ("biosig/embla", None, (b"Embla data file",)),
    ("biosig/etg4000", None, (b"Header\r\nFile",)),
    ("biosig/galileo", None, (b"GALILEO EEG TRACE FILE",)),
    ("biosig/gdf", None, (b"GDF",)),
    ("biosig/igorpro", None, (b"IGOR",)),
    ("biosig/ishne", None, (b"ISHNE1.0",)),
    ("biosig/mfer", None, (b"@ MFR ",)),
    ("biosig/nex1", None, (b"NEX1",)),
    ("biosig/sigif", None, (b"IAvSFo",)),
    ("biosig/tms32", None, (b"POLY SAMPLE FILEversion ",)),
    ("biosig/wcp", None, (b"VER=9\r\nCTIME=",)),
    ("text/x-gimp-curve", None, (b"# GIMP Curves File",)),
    ("text/x-gimp-ggr", None, (b"GIMP Gradient",)),
    ("text/x-gimp-gpl", None, (b"GIMP Palette",)),
    ("text/x-wine-extension-reg", None, (b"WINE REGISTRY Version ",)),
    ("application/x-freemind", None, (b"<map version",)),
    ("application/x-freeplane", None, (b'<map version="freeplane',)),
    ("", "application/vnd.hp-HPGL", (
        b"IN;", b"INPS", b"DF;", b"IP0", b"CO ", b"PS ", b"PS4", b"PS9", b"BP", b"NP", b"\x1b%-1B")),
)  # fmt: skip

OPENINGS = tuple(
    sorted(
        (
            Opening(start, php82, php82 if php84 is None else php84)
            for php82, php84, starts in _ROWS
            for start in starts
        ),
        # A longer opening is the stronger rule.
        key=lambda opening: -len(opening.start),
    )
)
