#include "app/report.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "app/render_problems.h"
#include "app/say.h"
#include "page/page.h"
#include "scenario/changed_settings.h"

namespace sim::app {

namespace {

std::string page_of_documents(const page::Documents& documents) {
  std::vector<page::ChangedSetting> changed;
  for (scenario::ChangedSetting& one : scenario::changed_settings(documents.resolved_scenario)) {
    changed.push_back({std::move(one.where), std::move(one.name), std::move(one.value),
                       std::move(one.standard), std::move(one.meaning)});
  }
  return page::page_of(documents, changed);
}

Problem problem_with_page(const std::filesystem::path& path, std::string message) {
  Problem problem;
  problem.file = path.string();
  problem.message = std::move(message);
  return problem;
}

}  // namespace

std::string page_of_run(const std::filesystem::path& folder) {
  return page_of_documents(page::read_documents(folder));
}

int report_command(const ReportOptions& options, const Terminal& terminal) {
  namespace fs = std::filesystem;
  const fs::path run = options.run;
  std::error_code error;
  if (!fs::is_directory(run, error)) return refuse({problem_with_page(run, "is no folder")}, terminal);
  const page::Documents documents = page::read_documents(run);
  if (documents.summary.is_null() && documents.charts.is_null() && documents.metrics.at_ms.empty()) {
    return refuse({problem_with_page(run,
                                     "is not the folder of a run: it has no summary.json, charts.json or "
                                     "metrics.csv of kraftsim")},
                  terminal);
  }
  const fs::path out = options.out.empty() ? run / "report.html" : fs::path(options.out);
  errno = 0;
  std::ofstream file(out, std::ios::binary);
  file << page_of_documents(documents);
  file.close();
  if (!file) {
    const std::string why = std::strerror(errno == 0 ? EIO : errno);
    return refuse({problem_with_page(out, "cannot be written: " + why)}, terminal);
  }
  for (const std::string& missing : documents.missing) print(stderr, "kraftsim: " + missing + "\n");
  print(stdout, out.string() + "\n");
  return number(ExitCode::held);
}

}  // namespace sim::app
