#include "scenario/java_properties.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "scenario/properties.h"
#include "scenario/properties_text.h"
#include "scenario/secrets.h"

// What java.util.Properties (OpenJDK 17) makes of a text, in one line: name=value pairs in brackets.
namespace sim::scenario::test {

namespace {

std::string in_brackets(std::string_view text, Encoding encoding = Encoding::utf8) {
  std::string told;
  for (const JavaProperty& property : read_properties(text, encoding))
    told +=
        property.problem.empty() ? "[" + property.name + "=" + property.value + "]" : "!" + property.problem;
  return told;
}

}  // namespace

TEST_CASE("properties are read as Java reads them") {
  struct Row {
    const char* text;
    const char* want;
  };
  const Row rows[] = {
      {"acks=all\nlinger.ms=7", "[acks=all][linger.ms=7]"},
      {"acks = all", "[acks=all]"},
      {"acks: all\nlinger.ms:7", "[acks=all][linger.ms=7]"},
      {"acks all\nlinger.ms\t7", "[acks=all][linger.ms=7]"},
      {"a = = b", "[a== b]"},
      {"a:=b", "[a==b]"},
      {"  a\f=\fb", "[a=b]"},
      {"a=b \t", "[a=b \t]"},  // kept; whoever reads the value trims it
      {"a", "[a=]"},
      {"a=", "[a=]"},
      {"# one\n ! two\n\n   \na=b", "[a=b]"},
      {"client.id=svc#1", "[client.id=svc#1]"},
      {"acks=all # note", "[acks=all # note]"},
      {"a\\ b\\=c\\:d=e", "[a b=c:d=e]"},
      {"client.id=a\\:b\\=c\\\\d", "[client.id=a:b=c\\d]"},
      {"a=x\\ty\\qz", "[a=x\tyqz]"},
      {"\\u0061cks=\\u0061ll", "[acks=all]"},
      {"a=\\u00e9\\u20AC", "[a=\xC3\xA9\xE2\x82\xAC]"},
      {"a=\\ud83d\\ude00", "[a=\xF0\x9F\x98\x80]"},
      {"a=b\\\n   c\\\r\n\td\ne=f", "[a=bcd][e=f]"},
      {"a=b\\\n# c", "[a=b# c]"},  // what a line goes on with is no comment
      {"a=b\\\\\nc=d", "[a=b\\][c=d]"},
      {"# comment \\\na=b", "[a=b]"},  // a comment does not go on
      {"a=b\\", "[a=b]"},
      {"a=b\\\n\nc=d", "[a=b][c=d]"},
      {"a=1\ra=2", "[a=1][a=2]"},
      {"[group]\nx=[y]", "[[group]=][x=[y]]"},
      {"=b", "!a property without a name"},
      {"a=\\u00g1", "!a \\u is followed by four hexadecimal digits (Kafka: Malformed \\uxxxx encoding)"},
      {"a=\\u12", "!a \\u is followed by four hexadecimal digits (Kafka: Malformed \\uxxxx encoding)"},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(in_brackets(row.text) == row.want);
  }
  CHECK(in_brackets("a=caf\xE9", Encoding::latin1) == "[a=caf\xC3\xA9]");
  CHECK(in_brackets("a=caf\xC3\xA9", Encoding::latin1) == "[a=caf\xC3\x83\xC2\xA9]");  // byte by byte
}

TEST_CASE("places of names and values, over continued lines too") {
  const auto read = read_properties("# c\n  linger.ms = \\\n   5\nacks  all \n", Encoding::utf8);
  REQUIRE(read.size() == 2);
  CHECK(read[0].name_place.line == 2);
  CHECK(read[0].name_place.column == 3);
  CHECK(read[0].name_place.length == 9);
  CHECK(read[0].value_place.line == 3);
  CHECK(read[0].value_place.column == 4);
  CHECK(read[0].value_place.length == 1);
  CHECK(read[1].value_place.line == 4);
  CHECK(read[1].value_place.column == 7);
  CHECK(read[1].value_place.length == 3);
}

TEST_CASE("durations as java.time.Duration.parse reads them") {
  struct Row {
    const char* text;
    std::int64_t want_ms;  // -1: none
  };
  const Row rows[] = {{"PT1H", 3'600'000},
                      {"P2D", 172'800'000},
                      {"P1DT2H3M4.5S", 93'784'500},
                      {"pt0.001s", 1},
                      {"PT1M30S", 90'000},
                      {"PT", -1},
                      {"P", -1},
                      {"PT1H1H", -1},
                      {"PT1M1H", -1},
                      {"P1H", -1},
                      {"PT1D", -1},
                      {"1H", -1},
                      {"PT-1H", -1},
                      {"PT1.5M", -1},
                      {"", -1},
                      {"PT1", -1},
                      {"P99999999999D", 3'162'240'000'000}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(read_iso_duration_ms(row.text).value_or(-1) == row.want_ms);
  }
}

TEST_CASE("what is secret in a line is not shown") {
  struct Row {
    const char* line;
    const char* want;
  };
  const Row rows[] = {
      {"ssl.keystore.password=hunter2", "ssl.keystore.password=[hidden]"},
      {"  ssl.key.pasword : hunter2", "  ssl.key.pasword : [hidden]"},
      {"sasl.jaas.config=x required username=\"u\" password=\"p\";", "sasl.jaas.config=[hidden]"},
      {"   password=\"p\";", "   password=[hidden]"},
      {"config: {acks: all, basic.auth.user.info: \"u:p\"}",
       "config: {acks: all, basic.auth.user.info: [hidden]"},
      {"config: {\"ssl.key.password\": hunter2}", "config: {\"ssl.key.password\": [hidden]"},
      {"password-resets: {partitions: 3}", "password-resets: {partitions: 3}"},  // a topic
      {"sasl.mechanism=PLAIN", "sasl.mechanism=PLAIN"},
      {"acks=all", "acks=all"},
  };
  for (const Row& row : rows) CHECK(without_secrets(row.line) == row.want);
}

}  // namespace sim::scenario::test
