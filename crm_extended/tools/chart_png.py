"""Charts as PNG pictures, for mail programs, which run no scripts. No ORM, no database."""

import io

from PIL import Image, ImageDraw, ImageFont

#: drawn twice as large as shown, so that it is sharp on a telephone
_SCALE = 2
_INK, _GREY, _LINE = "#333333", "#777777", "#DDDDDD"
COLORS = ("#71639E", "#B8C4CE")


def draw_bars(title, labels, series, fonts, width=600, text=str):
    """Lying bars: a row for each label, a bar for each series.

    :param str title: above the picture
    :param list labels: names of the rows
    :param list series: (name, figures) pairs; None where there is no figure
    :param tuple fonts: paths of the regular and the bold font
    :param int width: of the picture as shown, in pixels
    :param text: tells a figure in words
    :return: PNG, or None when there is nothing to draw
    :rtype: bytes
    """
    most = max((abs(value) for _name, data in series for value in data if value), default=0)
    if not most:
        return None
    regular, bold = (
        ImageFont.truetype(path, size * _SCALE) for path, size in zip(fonts, (12, 14), strict=True)
    )
    bar, gap, top = 14 * _SCALE, 10 * _SCALE, 58 * _SCALE
    height = top + len(labels) * (bar * len(series) + gap) + gap
    image = Image.new("RGB", (width * _SCALE, height), "white")
    draw = ImageDraw.Draw(image)
    draw.text((8 * _SCALE, 6 * _SCALE), title, fill=_INK, font=bold)
    _draw_legend(draw, [name for name, _data in series], regular)
    left = _get_left(draw, labels, regular, width)
    texts = [[text(v) if v is not None else "" for v in data] for _name, data in series]
    widest = max(draw.textlength(word, font=regular) for row in texts for word in row)
    room = width * _SCALE - left - widest - 20 * _SCALE
    y = top
    for row, label in enumerate(labels):
        middle = y + bar * len(series) / 2
        draw.text((left - 8 * _SCALE, middle), _fit(draw, label, regular, left - 16 * _SCALE),
                  fill=_INK, font=regular, anchor="rm")  # fmt: skip
        for number, (_name, data) in enumerate(series):
            value = data[row]
            if value is not None:
                end = left + max(room * max(value, 0) / most, _SCALE)
                draw.rectangle((left, y + 2, end, y + bar - 2), fill=COLORS[number % len(COLORS)])
                draw.text((end + 6 * _SCALE, y + bar / 2), texts[number][row],
                          fill=_INK if not number else _GREY, font=regular,
                          anchor="lm")  # fmt: skip
            y += bar
        y += gap
    draw.line((left, top - 4, left, height - gap), fill=_LINE, width=_SCALE)
    buffer = io.BytesIO()
    image.quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _draw_legend(draw, names, font):
    x = 8 * _SCALE
    for number, name in enumerate(names):
        y = 36 * _SCALE
        draw.rectangle(
            (x, y - 5 * _SCALE, x + 10 * _SCALE, y + 5 * _SCALE),
            fill=COLORS[number % len(COLORS)],
        )
        draw.text((x + 16 * _SCALE, y), name, fill=_GREY, font=font, anchor="lm")
        x += 32 * _SCALE + draw.textlength(name, font=font)


def _get_left(draw, labels, font, width):
    longest = max((draw.textlength(label, font=font) for label in labels), default=0)
    return int(min(longest, width * _SCALE * 0.35)) + 20 * _SCALE


def _fit(draw, text, font, room):
    if draw.textlength(text, font=font) <= room:
        return text
    while text and draw.textlength(text + "\N{HORIZONTAL ELLIPSIS}", font=font) > room:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"
