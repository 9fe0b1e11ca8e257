package io.baton.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The words of a command line in our documents, as a shell would pass them on; nothing is expanded. */
public final class ShellWords {

    private static final Pattern WORD = Pattern.compile("\\s*((?:[^\\s'\"]|'[^']*'|\"[^\"]*\")+)");
    private static final Pattern QUOTED = Pattern.compile("'([^']*)'|\"([^\"]*)\"");

    private ShellWords() {}

    public static List<String> of(String commandLine) {
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(commandLine);
        while (matcher.lookingAt()) {
            words.add(QUOTED.matcher(matcher.group(1)).replaceAll("$1$2"));
            matcher.region(matcher.end(), commandLine.length());
        }
        return words;
    }
}
