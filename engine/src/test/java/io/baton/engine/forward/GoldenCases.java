package io.baton.engine.forward;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Golden greedy outputs from the shared data. */
record GoldenCases(List<Case> cases) {

    record Case(int[] promptIds, int[] outputIds, double minGap) {}

    private static final Pattern CASE = Pattern.compile(
            "\"prompt_ids\":\\s*\\[([^\\]]*)\\],\\s*\"output_ids\":\\s*\\[([^\\]]*)\\].*?\"min_gap\":\\s*([0-9.eE+-]+)",
            Pattern.DOTALL);

    static GoldenCases read(Path json) throws IOException {
        List<Case> cases = new ArrayList<>();
        Matcher matcher = CASE.matcher(Files.readString(json));
        while (matcher.find()) {
            cases.add(new Case(ids(matcher.group(1)), ids(matcher.group(2)), Double.parseDouble(matcher.group(3))));
        }
        return new GoldenCases(cases);
    }

    private static int[] ids(String list) {
        return Stream.of(list.split(","))
                .map(String::strip)
                .mapToInt(Integer::parseInt)
                .toArray();
    }
}
