// Recorded orders from CSV: what is understood, and that every mistake is named with its place.
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "observe/names.h"
#include "workload/trace_csv.h"

namespace sim::workload {
namespace {

Result<RecordedOrders> parse(const std::string& text, const TraceFormat& format, TraceKeys& keys) {
  std::istringstream in(text);
  return parse_trace_csv(in, "t.csv", format, keys);
}

// The orders alone, or what was wrong.
Result<std::vector<TraceOrder>> parse(const std::string& text, const TraceFormat& format = {}) {
  TraceKeys keys;
  Result<RecordedOrders> recorded = parse(text, format, keys);
  if (!recorded) return recorded.problems();
  return std::move(recorded->orders);
}

// "line:column message" of each problem, one a line.
std::string problems(const std::string& text, const TraceFormat& format = {}) {
  std::string told;
  const auto result = parse(text, format);
  for (const Problem& problem : result.problems()) {
    told += std::to_string(problem.line);
    told += ':';
    told += std::to_string(problem.column);
    told += ' ';
    told += problem.message;
    if (!problem.hint.empty()) told += " (" + problem.hint + ")";
    told += '\n';
  }
  return told;
}

constexpr std::int64_t kFirst = observe::kFirstRecordedKey;

TEST_CASE("columns in any order, further ones ignored, keys numbered as they appear") {
  const auto orders = parse("size,shop,Key,time\n100,a,anna,0\n200,b,bert,1.5\n300,a,anna,2\n400,a,,2\n");
  REQUIRE(orders.ok());
  REQUIRE(orders->size() == 4);
  CHECK((*orders)[1].at_ns == 1'500'000'000);
  CHECK((*orders)[1].value_bytes == 200);
  const std::int64_t keys[] = {kFirst, kFirst + 1, kFirst, -1};
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
      {"2024-02-29", 3'600'000'000'000},  // midnight
      {"20240229", 3'600'000'000'000},
      {"\"20240228T230000,5Z\"", 500'000'000},
      {"20240229T0100+0200", 0},
      {"\"2024-02-28 23:00:00,125\"", 125'000'000},
      {"2024-02-28 23:00:00 UTC", 0},
      {"2024-02-29 00:00:00 +0100", 0},
      {"20240230", -1},
      {"2/29/2024", -1},
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
  CHECK((*orders)[0].key == kFirst);
  CHECK((*orders)[1].key == kFirst + 1);
  CHECK((*orders)[1].value_bytes == 20);
}

TEST_CASE("every mistake is told with line and column") {
  CHECK(problems("time,key,size\n0,k,1\nlater,k,2\n3,k,big\n4,k\n5,k,5\n2,k,6\n7,k,-1\n") ==
        "3:1 'later' is not a time: seconds (12.5), a duration (250ms) or a date (2026-03-01T12:00:00Z)\n"
        "4:5 'big' is not a size: a number of bytes\n"
        "5:1 the row has 2 fields, the header 3\n"
        "8:5 '-1' is not a size: a number of bytes\n");
}

TEST_CASE("a wrong header says which columns are missing") {
  CHECK(problems("tiem,key,bytes\n1,k,1\n") ==
        "1:1 the header has no column time, only tiem, key, bytes (name the column of the time, such as "
        "trace: {file: "
        "..., time: COLUMN})\n"
        "1:1 the header has no column size, only tiem, key, bytes (name the column of the size, such as "
        "trace: {file: "
        "..., size: COLUMN}, or give a default.size)\n");
  CHECK(problems("time,key,size,time\n") == "1:15 the column time is there twice\n");
}

TEST_CASE("broken quotes") {
  CHECK(problems("time,key,size\n1,\"open,2\n") == "2:3 the quote is not closed on this line\n");
  CHECK(problems("time,key,size\n1,\"a\"b,2\n") == "2:6 a comma was expected after the closing quote\n");
}

TEST_CASE("dates and durations do not mix") {
  CHECK(problems("time,key,size\n1,k,1\n2024-02-28T23:00:00Z,k,1\n") == "3:1 a date among durations\n");
  CHECK(problems("time,key,size\n1700000000,k,1\n5,k,1\n") == "3:1 a duration among Unix times\n");
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
  TraceKeys keys;
  CHECK(read_trace_csv("/nowhere/t.csv", {}, keys).problems().at(0).message == "cannot be opened");
  CHECK(read_trace_csv("/", {}, keys).problems().at(0).message == "cannot be read");
}

TEST_CASE("the trace that comes with the scenarios") {
  TraceKeys keys;
  const auto recorded = read_trace_csv("scenarios/traces/cdnow-1997-02.csv", {}, keys);
  REQUIRE(recorded.ok());
  CHECK(recorded->orders.size() == 4811);
  CHECK(recorded->orders.back().at_ns == 119'981'000'000);
  CHECK(recorded->rows == 4811);
  CHECK(recorded->out_of_order == 0);
  CHECK(recorded->too_late == 0);
  CHECK(keys.texts()->size() == 4425);
}

TEST_CASE("Unix times in seconds, milli-, micro- and nanoseconds count from the earliest") {
  for (const char* text :
       {"1695513600,k,1\n1695513601,k,1\n", "1695513600000,k,1\n1695513601000,k,1\n",
        "1695513600000000,k,1\n1695513601000000,k,1\n", "1695513600000000000,k,1\n1695513601000000000,k,1\n",
        "1695513600.000,k,1\n1695513601.0,k,1\n"}) {
    CAPTURE(text);
    const auto orders = parse(std::string("time,key,size\n") + text);
    REQUIRE(orders.ok());
    CHECK((*orders)[0].at_ns == 0);
    CHECK((*orders)[1].at_ns == 1'000'000'000);
  }
}

TEST_CASE("dates of a web server's log, with their offsets") {
  const auto orders =
      parse("time,key,size\n28/Feb/2026:23:59:59 +0000,k,1\n[01/Mar/2026:01:00:00.500 +0100],k,1\n");
  REQUIRE(orders.ok());
  CHECK((*orders)[1].at_ns == 1'500'000'000);
  for (const char* wrong : {"01/Mai/2026:10:15:00 +0000", "1/Mar/2026:10:15:00", "01/Mar/2026 10:15:00",
                            "30/Feb/2026:10:15:00", "01/arM/2026:10:15:00"}) {
    CAPTURE(wrong);
    CHECK(problems("time,key,size\n" + std::string(wrong) + ",k,1\n").find("is not a time") !=
          std::string::npos);
  }
}

TEST_CASE("dates as people write them, if it is said how") {
  TraceFormat us;
  us.dates = TraceDates::us;
  const auto american = parse("time,key,size\n3/1/2026 11:59:59 PM,k,1\n\"03/02/2026, 12:00 AM\",k,1\n", us);
  REQUIRE(american.ok());
  CHECK((*american)[1].at_ns == 1'000'000'000);
  TraceFormat eu;
  eu.dates = TraceDates::eu;
  const auto european = parse("time,key,size\n1.3.2026 23:59:59,k,1\n02/03/2026,k,1\n", eu);
  REQUIRE(european.ok());
  CHECK((*european)[1].at_ns == 1'000'000'000);
  CHECK(problems("time,key,size\n3/1/2026,k,1\n").find("say how its day and month stand: dates: us") !=
        std::string::npos);
  CHECK(
      problems("time,key,size\n13/1/2026,k,1\n", us) ==
      "2:1 '13/1/2026' is not a time: seconds (12.5), a duration (250ms) or a date (2026-03-01T12:00:00Z)\n");
  CHECK(problems("time,key,size\n1/1/2026 13:00 PM,k,1\n", us).size() > 0);
}

TEST_CASE("columns by name, other dividers, sizes that are missing, keys that are none") {
  TraceFormat format;
  format.time_column = "Created_At";
  format.key_column = "customer";
  format.size_column = "bytes";
  format.default_size = 512;
  TraceKeys keys;
  const auto recorded =
      parse("created_at;customer;total\n2026-03-01;ann;9,99\n2026-03-02;user-7;1\n", format, keys);
  REQUIRE(recorded.ok());
  CHECK(recorded->orders[0].value_bytes == 512);
  CHECK(recorded->orders[1].at_ns == 86'400'000'000'000);
  CHECK(recorded->orders[0].key == kFirst);
  CHECK(recorded->orders[1].key == 7);  // a scenario's own customer
  CHECK(*keys.texts() == std::vector<std::string>{"ann"});
  CHECK((*parse("created_at,customer,bytes\n1,a,\n2,b,9\n", format))[0].value_bytes == 512);
  format.key_column.clear();
  CHECK((*parse("created_at\n5\n", format))[0].key == -1);
  CHECK(problems("time,key,size\n1,k,\n") ==
        "2:5 '' is not a size: a number of bytes (give what is empty a size with default.size)\n");
  CHECK(problems("time,key,size\n1,k,2000000000\n") ==
        "2:5 '2000000000' is not a size: a number of bytes, at most 1073741824\n");
}

TEST_CASE("rows are sorted, played faster, and cut at the end; all of it is counted") {
  TraceFormat format;
  format.speed_thousandths = 60'000;
  format.ends_ns = 2'000'000'000;
  TraceKeys keys;
  const auto recorded = parse("time,key,size\n120,c,3\n0,a,1\n60,b,2\n60,d,4\n119,e,5\n", format, keys);
  REQUIRE(recorded.ok());
  CHECK(recorded->rows == 5);
  CHECK(recorded->out_of_order == 4);
  CHECK(recorded->too_late == 1);  // at the end is after it
  CHECK(recorded->last_ns == 2'000'000'000);
  std::string sizes;
  for (const TraceOrder& order : recorded->orders) sizes += std::to_string(order.value_bytes);
  CHECK(sizes == "1245");
  CHECK(recorded->orders[1].at_ns == 1'000'000'000);
}

}  // namespace
}  // namespace sim::workload
