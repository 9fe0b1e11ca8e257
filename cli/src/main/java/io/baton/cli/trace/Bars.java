package io.baton.cli.trace;

import java.util.Arrays;

/** Bars over time, a line each: from where to where something was on an axis of some width in characters. */
public final class Bars {

    private static final char[] EIGHTHS = {' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'};

    /** What was done. */
    static final char SOLID = '█';

    /** What was waited for. */
    static final char LIGHT = '░';

    private final long start;
    private final long end;
    private final int width;

    /** @param width characters of the whole axis, which goes from {@code start} to {@code end} */
    public Bars(long start, long end, int width) {
        if (width < 1) {
            throw new IllegalArgumentException("expected an axis of at least one character, found " + width);
        }
        this.start = start;
        this.end = Math.max(end, start + 1);
        this.width = width;
    }

    /** A bar that ends on an eighth of a character; whatever has any length shows. */
    public String bar(long from, long to) {
        if (to <= from) {
            return "";
        }
        int first = Math.min(cell(from), width - 1);
        int eighths = (int) Math.round(8 * (position(to) - first));
        int most = 8 * (width - first);
        int shown = Math.clamp(eighths, 1, most);
        String tip = shown % 8 == 0 ? "" : String.valueOf(EIGHTHS[shown % 8]);
        return " ".repeat(first) + String.valueOf(SOLID).repeat(shown / 8) + tip;
    }

    /** A bar of light cells from one to another, and of solid ones where something was done meanwhile. */
    String bar(long from, long to, long doneFrom, long doneTo) {
        char[] cells = new char[width];
        Arrays.fill(cells, ' ');
        paint(cells, from, to, LIGHT);
        paint(cells, doneFrom, doneTo, SOLID);
        return new String(cells).stripTrailing();
    }

    private void paint(char[] cells, long from, long to, char with) {
        int first = Math.min(cell(from), width - 1);
        int last = Math.clamp((long) Math.ceil(position(to)), first + 1, width);
        Arrays.fill(cells, first, last, with);
    }

    private int cell(long at) {
        return Math.clamp((long) Math.floor(position(at)), 0, width);
    }

    private double position(long at) {
        return Math.clamp((double) (at - start) / (end - start), 0, 1) * width;
    }
}
