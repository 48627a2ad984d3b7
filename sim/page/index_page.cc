#include "page/index_page.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include "page/documents.h"
#include "page/frame.h"
#include "page/markup.h"
#include "page/words.h"

namespace sim::page {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 4;                 // folders below the one that is asked for
constexpr std::size_t kMostListed = 2'000;  // of entries: the page stays under a megabyte

Json json_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return nullptr;
  Json json = Json::parse(in, nullptr, false);
  return json.is_object() ? json : Json(nullptr);
}

void describe_run(const Json& summary, IndexEntry& entry) {
  entry.scenario = text(object_at(summary, "scenario"), "name");
  const auto seed = summary.find("seed");
  if (seed != summary.end() && seed->is_number_unsigned())
    entry.which = std::to_string(seed->get<std::uint64_t>());
  entry.verdict = text(summary, "verdict");
  const Json& orders = object_at(summary, "orders");
  entry.orders = count_of(integer(orders, "placed", 0)) + " placed";
  for (const char* bad : {"lost", "failed", "open"}) {
    if (const std::int64_t many = integer(orders, bad, 0); many > 0)
      entry.orders += ", " + count_of(many) + " " + bad;
  }
  if (flag(summary, "partial")) entry.orders += " (interrupted)";
  const std::int64_t p99 = integer(object_at(summary, "e2e_latency"), "p99_ns");
  if (p99 >= 0) entry.p99 = human_duration(p99);
}

void describe_sweep(const Json& summary, IndexEntry& entry) {
  entry.scenario = text(object_at(summary, "scenario"), "name");
  entry.which = text(summary, "seeds");
  std::int64_t failed = 0;
  std::int64_t unsure = 0;
  for (const Json& one : list_at(summary, "configurations")) {
    failed += integer(one, "failed", 0) + integer(one, "crashed", 0);
    unsure += integer(one, "inconclusive", 0);
  }
  entry.verdict = failed > 0 ? "failed" : unsure > 0 ? "inconclusive" : "ok";
  entry.orders = counted(integer(summary, "runs", 0), "run") + ", " + count_of(failed) + " failed";
}

// True if it is the folder of a run or of a sweep.
bool look_at(const fs::path& folder, const fs::path& top, FoundRuns& found) {
  std::error_code error;
  const bool is_sweep = fs::exists(folder / "results.jsonl", error);
  const bool is_run = !is_sweep && fs::exists(folder / "manifest.json", error);
  if (!is_sweep && !is_run) return false;
  const Json summary = json_of_file(folder / "summary.json");
  if (summary.is_null()) {
    ++found.unreadable;
    return true;
  }
  IndexEntry entry;
  entry.path = fs::relative(folder, top, error).generic_string();
  entry.is_sweep = is_sweep;
  entry.has_page = fs::exists(folder / "report.html", error);
  if (is_sweep)
    describe_sweep(summary, entry);
  else
    describe_run(summary, entry);
  found.entries.push_back(std::move(entry));
  return true;
}

void look_below(const fs::path& folder, const fs::path& top, int deeper, FoundRuns& found) {
  if (look_at(folder, top, found) || deeper == 0) return;
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_symlink(ignored) && at->is_directory(ignored)) folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  for (const fs::path& below : folders) look_below(below, top, deeper - 1, found);
}

std::string link_of(const IndexEntry& entry) {
  if (!entry.has_page) return escaped(entry.path);
  return element("a", "href=\"" + escaped(entry.path) + "/report.html\"", escaped(entry.path));
}

}  // namespace

FoundRuns find_runs(const fs::path& folder) {
  FoundRuns found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_symlink(ignored) && at->is_directory(ignored))
      look_below(at->path(), folder, kDeepest - 1, found);
  }
  std::sort(found.entries.begin(), found.entries.end(),
            [](const IndexEntry& a, const IndexEntry& b) { return a.path < b.path; });
  return found;
}

std::string page_of_index(const std::string& folder, const FoundRuns& found) {
  std::map<std::string, std::size_t> by_verdict;
  std::map<std::string, Table> tables;  // by scenario
  std::size_t sweeps = 0;
  std::size_t listed = 0;
  for (const IndexEntry& entry : found.entries) {
    ++by_verdict[entry.verdict];
    sweeps += entry.is_sweep ? 1 : 0;
    if (++listed > kMostListed) continue;
    Table& table = tables[entry.scenario];
    if (table.head.empty()) table.head = {"folder", "verdict", "seed", "what became of it", "p99 end to end"};
    table.rows.push_back(
        {link_of(entry),
         "<span class=\"" + escaped(entry.verdict) + "\">" + verdict_word(entry.verdict) + "</span>",
         escaped(entry.which), escaped(entry.orders), escaped(entry.p99)});
  }
  std::string content;
  for (const auto& [scenario, table] : tables) {
    content += element("section", "",
                       element("h2", "", escaped(scenario.empty() ? "of no known scenario" : scenario)) +
                           page::markup(table));
  }
  if (listed > kMostListed)
    content += element("p", "", "And " + std::to_string(listed - kMostListed) + " more that are not listed.");
  const auto many = [&](const char* verdict) {
    return count_of(static_cast<std::int64_t>(by_verdict[verdict]));
  };
  const std::string finding = found.entries.empty()
                                  ? "There is no run here yet."
                                  : counted(static_cast<std::int64_t>(found.entries.size() - sweeps), "run") +
                                        " and " + counted(static_cast<std::int64_t>(sweeps), "sweep") + ": " +
                                        many("ok") + " held, " + many("failed") + " failed, " +
                                        many("inconclusive") + " inconclusive.";
  const std::string unreadable =
      found.unreadable == 0
          ? ""
          : element("div", "class=\"missing\"",
                    element("p", "",
                            "Of " + counted(static_cast<std::int64_t>(found.unreadable), "folder") +
                                " the summary cannot be read; kraftsim report FOLDER shows what is left."));
  return html_of({"Runs in " + folder,
                  soft("Runs and sweeps in " + escaped(folder)) + element("h1", "", "Runs") +
                      element("p", "class=\"finding\"", escaped(finding)) + unreadable,
                  content, soft("Written by kraftsim report; it lists what was there then.")});
}

}  // namespace sim::page
