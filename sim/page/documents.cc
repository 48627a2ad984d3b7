#include "page/documents.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

namespace sim::page {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Json read_json(const fs::path& folder, const char* name, const char* schema, Documents& documents) {
  const auto content = content_of(folder / name);
  if (!content) {
    documents.missing.push_back(std::string(name) + " is not there");
    return {};
  }
  Json json = Json::parse(*content, nullptr, false);
  if (!json.is_object()) {
    documents.missing.push_back(std::string(name) + " is damaged");
    return {};
  }
  if (const std::string there = text(json, "schema"); there != schema) {
    documents.missing.push_back(std::string(name) + " is of another version (" + there + ", not " + schema +
                                "); what is understood of it is shown");
  }
  return json;
}

// "12.345" -> 12345; nothing if it is no decimal number.
std::optional<std::int64_t> thousandths(std::string_view cell) {
  const std::size_t point = cell.find('.');
  std::int64_t whole = 0;
  const std::string_view digits = cell.substr(0, point);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
  constexpr std::int64_t kMost = std::int64_t{1} << 52;
  if (error != std::errc() || end != digits.data() + digits.size() || whole > kMost || whole < -kMost)
    return std::nullopt;
  std::int64_t milli = whole * 1000;
  if (point == std::string_view::npos) return milli;
  std::int64_t weight = 100;
  for (const char c : cell.substr(point + 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    milli += (whole < 0 ? -1 : 1) * weight * (c - '0');
    weight /= 10;
  }
  return milli;
}

std::vector<std::string_view> cells_of(std::string_view row) {
  std::vector<std::string_view> cells;
  for (std::size_t from = 0; from <= row.size();) {
    const std::size_t comma = std::min(row.find(',', from), row.size());
    cells.push_back(row.substr(from, comma - from));
    from = comma + 1;
  }
  return cells;
}

void read_metrics(const fs::path& folder, Documents& documents) {
  const auto content = content_of(folder / "metrics.csv");
  if (!content) return documents.missing.push_back("metrics.csv is not there");
  std::string_view rest = *content;
  std::vector<std::string> columns;
  MetricColumns& metrics = documents.metrics;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::vector<std::string_view> cells = cells_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (columns.empty()) {
      columns.assign(cells.begin(), cells.end());
      continue;
    }
    const auto at = thousandths(cells.front());
    if (cells.size() != columns.size() || !at) {
      documents.missing.push_back("metrics.csv is damaged; it is shown up to there");
      break;
    }
    metrics.at_ms.push_back(*at);
    for (std::size_t i = 1; i < cells.size(); ++i) metrics.milli[columns[i]].push_back(thousandths(cells[i]));
  }
}

}  // namespace

Documents read_documents(const fs::path& folder) {
  Documents documents;
  documents.summary = read_json(folder, "summary.json", "kraftsim-summary/1", documents);
  documents.charts = read_json(folder, "charts.json", "kraftsim-charts/1", documents);
  if (const auto manifest = content_of(folder / "manifest.json"))
    documents.manifest = Json::parse(*manifest, nullptr, false);
  read_metrics(folder, documents);
  if (auto resolved = content_of(folder / "scenario.resolved.yaml"))
    documents.resolved_scenario = *resolved;
  else
    documents.missing.push_back("scenario.resolved.yaml is not there");
  return documents;
}

std::int64_t integer(const Json& object, const char* key, std::int64_t otherwise) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

const Json& object_at(const Json& object, const char* key) {
  static const Json kEmpty = Json::object();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

const Json& list_at(const Json& object, const char* key) {
  static const Json kEmpty = Json::array();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_array() ? *found : kEmpty;
}

}  // namespace sim::page
