#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

// The files of a run, as far as they are there and can be read: what a page is made of. A folder that is
// partial, damaged or from another version gives what it has, and says what it has not.
namespace sim::page {

using Json = nlohmann::json;

// metrics.csv: a value per second, in thousandths of the unit that the column's name ends with.
struct MetricColumns {
  std::vector<std::int64_t> at_ms;
  std::map<std::string, std::vector<std::optional<std::int64_t>>> milli;  // by column
};

struct Documents {
  Json summary;  // null where a file is not there or not what it should be
  Json charts;
  Json manifest;  // says of a folder without a summary which run it was; while a run is written it is not
                  // there
  MetricColumns metrics;
  std::string resolved_scenario;
  std::vector<std::string> missing;  // a sentence for each
};

// REQUIRES: nothing of the folder; what is not there is told in `missing`
Documents read_documents(const std::filesystem::path& folder);

// Of an object, if it has that and it is of that kind; else what is given.
std::int64_t integer(const Json& object, const char* key, std::int64_t otherwise = -1);
std::string text(const Json& object, const char* key);
bool flag(const Json& object, const char* key);
const Json& object_at(const Json& object, const char* key);  // an empty object
const Json& list_at(const Json& object, const char* key);    // an empty list

}  // namespace sim::page
