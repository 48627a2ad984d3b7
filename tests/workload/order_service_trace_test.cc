// Recorded orders from CSV: what is understood, and that every mistake is named with its place.
#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "workload/trace_csv.h"

namespace sim::workload {
namespace {

Result<std::vector<TraceOrder>> parse(const std::string& text) {
  std::istringstream in(text);
  return parse_trace_csv(in, "t.csv");
}

// "line:column message" of each problem, one a line.
std::string problems(const std::string& text) {
  std::string told;
  const auto result = parse(text);
  for (const Problem& problem : result.problems()) {
    told += std::to_string(problem.line);
    told += ':';
    told += std::to_string(problem.column);
    told += ' ';
    told += problem.message;
    told += '\n';
  }
  return told;
}

TEST_CASE("columns in any order, further ones ignored, keys numbered as they appear") {
  const auto orders = parse("size,shop,Key,time\n100,a,anna,0\n200,b,bert,1.5\n300,a,anna,2\n400,a,,2\n");
  REQUIRE(orders.ok());
  REQUIRE(orders->size() == 4);
  CHECK((*orders)[1].at_ns == 1'500'000'000);
  CHECK((*orders)[1].value_bytes == 200);
  const std::int64_t keys[] = {0, 1, 0, -1};
  for (std::size_t i = 0; i < 4; ++i) CHECK((*orders)[i].key == keys[i]);
}

TEST_CASE("times") {
  struct Row {
    const char* text;
    std::int64_t want_ns;  // -1 = no time
  };
  const Row rows[] = {
      {"0", 0},
      {"12", 12'000'000'000},
      {"0.000000001", 1},
      {"12.5s", 12'500'000'000},
      {"250ms", 250'000'000},
      {"1us", 1'000},
      {"7ns", 7},
      {"2m", 120'000'000'000},
      {"1.5h", 5'400'000'000'000},
      {"1d", 86'400'000'000'000},
      {"", -1},
      {"-1", -1},
      {"1.", -1},
      {".5", -1},
      {"1e3", -1},
      {"1 week", -1},
      {"99999999999999", -1},  // beyond 292 years
      {"nan", -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    std::string text = "time,key,size\n\"";
    text += row.text;
    text += "\",k,1\n";
    const auto orders = parse(text);
    CHECK(orders.ok() == (row.want_ns >= 0));
    if (orders.ok()) CHECK((*orders)[0].at_ns == row.want_ns);
  }
}

TEST_CASE("dates count from the first order") {
  struct Row {
    const char* second;
    std::int64_t want_ns;  // after 2024-02-28T23:00:00Z; -1 = no date
  };
  const Row rows[] = {
      {"2024-02-28T23:00:00Z", 0},
      {"2024-02-28T23:00:00.25Z", 250'000'000},
      {"2024-02-28 23:00:01", 1'000'000'000},
      {"2024-02-29T01:00:00+02:00", 0},
      {"2024-02-28T22:30:00-0030", 0},
      {"2024-03-01T23:00Z", 2 * 86'400'000'000'000},
      {"2023-02-29T00:00:00Z", -1},  // no leap year
      {"2024-13-01T00:00:00Z", -1},
      {"2024-02-28T24:00:00Z", -1},
      {"2024-02-28", -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.second);
    std::string text = "time,key,size\n2024-02-28T23:00:00Z,k,1\n";
    text += row.second;
    text += ",k,1\n";
    const auto orders = parse(text);
    CHECK(orders.ok() == (row.want_ns >= 0));
    if (orders.ok()) CHECK((*orders)[1].at_ns == row.want_ns);
  }
}

TEST_CASE("quotes, CRLF, empty lines, a byte order mark, no newline at the end") {
  const auto orders =
      parse("\xEF\xBB\xBFtime,key,size\r\n\r\n1,\"a \"\"b\"\", c\",10\r\n   \r\n 2 , a , 20 ");
  REQUIRE(orders.ok());
  REQUIRE(orders->size() == 2);
  CHECK((*orders)[0].key == 0);
  CHECK((*orders)[1].key == 1);
  CHECK((*orders)[1].value_bytes == 20);
}

TEST_CASE("every mistake is told with line and column") {
  CHECK(problems("time,key,size\n0,k,1\nlater,k,2\n3,k,big\n4,k\n5,k,5\n2,k,6\n7,k,-1\n") ==
        "3:1 'later' is not a time: seconds (12.5), a duration (250ms) or a date (2026-03-01T12:00:00Z)\n"
        "4:5 'big' is not a size: a number of bytes\n"
        "5:1 the row has 2 fields, the header 3\n"
        "7:1 time goes back: rows must be sorted by time\n"
        "8:5 '-1' is not a size: a number of bytes\n");
}

TEST_CASE("a wrong header says which columns are missing") {
  CHECK(problems("tiem,key,bytes\n1,k,1\n") ==
        "1:1 the header has no column time (columns time, key and size are needed)\n"
        "1:1 the header has no column size (columns time, key and size are needed)\n");
  CHECK(problems("time,key,size,time\n") == "1:15 the column time is there twice\n");
}

TEST_CASE("broken quotes") {
  CHECK(problems("time,key,size\n1,\"open,2\n") == "2:3 the quote is not closed on this line\n");
  CHECK(problems("time,key,size\n1,\"a\"b,2\n") == "2:6 a comma was expected after the closing quote\n");
}

TEST_CASE("dates and durations do not mix") {
  CHECK(problems("time,key,size\n1,k,1\n2024-02-28T23:00:00Z,k,1\n") == "3:1 a date among durations\n");
}

TEST_CASE("nothing, or nothing but a header") {
  CHECK(problems("") == "0:0 is empty: a header line with the columns time, key, size is missing\n");
  CHECK(problems("\n\n") == "0:0 is empty: a header line with the columns time, key, size is missing\n");
  CHECK(problems("time,key,size\n") == "0:0 holds no orders\n");
}

TEST_CASE("a problem shows its line") {
  const auto result = parse("time,key,size\n1,k,many\n");
  REQUIRE(result.problems().size() == 1);
  CHECK(result.problems()[0].file == "t.csv");
  CHECK(result.problems()[0].source_line == "1,k,many");
  CHECK(result.problems()[0].caret_length == 4);
}

TEST_CASE("a file that is all wrong, or no text at all, does not flood") {
  std::string text = "time,key,size\n";
  for (int i = 0; i < 1000; ++i) text += "x,k,1\n";
  CHECK(parse(text).problems().size() == 21);
  CHECK(parse(std::string(1'000'000, 'x')).problems().size() == 1);
  CHECK(parse(std::string(1'000'000, '\0')).problems().size() == 1);
}

TEST_CASE("a file that is not there, or is a folder") {
  CHECK(read_trace_csv("/nowhere/t.csv").problems().at(0).message == "cannot be opened");
  CHECK(read_trace_csv("/").problems().at(0).message == "cannot be read");
}

TEST_CASE("the trace that comes with the scenarios") {
  const auto orders = read_trace_csv("scenarios/traces/cdnow-1997-02.csv");
  REQUIRE(orders.ok());
  CHECK(orders->size() == 4811);
  CHECK(orders->back().at_ns == 119'981'000'000);
  std::int64_t customers = 0;
  for (const TraceOrder& order : *orders) customers = std::max(customers, order.key + 1);
  CHECK(customers == 4425);
}

}  // namespace
}  // namespace sim::workload
