#include "sweep/workers.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace sim::sweep {
namespace {

bool send_all(int socket, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

// False: the other end has closed.
bool hear(int socket, std::string& heard) {
  char bytes[4'096];
  while (true) {
    const ssize_t count = ::recv(socket, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    heard.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
}

}  // namespace

Workers::Workers(std::size_t count, std::function<std::string(const Task&)> play)
    : play_(std::move(play)), workers_(count) {}

Workers::~Workers() {
  for (Worker& worker : workers_) end(worker);
}

bool Workers::has_idle() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const Worker& one) { return !one.is_busy; });
}
bool Workers::has_busy() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const Worker& one) { return one.is_busy; });
}

bool Workers::start(const Task& task, std::string& why_not) {
  const auto idle =
      std::find_if(workers_.begin(), workers_.end(), [](const Worker& one) { return !one.is_busy; });
  SIM_CHECK(idle != workers_.end(), "a task is for a worker that has none");
  if (idle->socket < 0 && !fork_into(*idle, why_not)) return false;
  idle->task = task;
  idle->is_busy = true;
  // If it has died in the meantime, wait() will see that.
  send_all(idle->socket, std::to_string(task.configuration) + " " + std::to_string(task.seed) + "\n");
  return true;
}

bool Workers::fork_into(Worker& worker, std::string& why_not) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
    why_not = std::strerror(errno);
    return false;
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    why_not = std::strerror(errno);
    ::close(ends[0]);
    ::close(ends[1]);
    return false;
  }
  if (child == 0) {
    for (const Worker& other : workers_) {  // else they would not see this program end
      if (other.socket >= 0) ::close(other.socket);
    }
    ::close(ends[0]);
    work(ends[1]);
  }
  ::close(ends[1]);
  worker.process = child;
  worker.socket = ends[0];
  worker.heard.clear();
  return true;
}

// Ctrl-C reaches every process of the terminal; who started this one will decide what becomes of it.
void Workers::work(int socket) {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  std::string heard;
  while (true) {
    std::size_t end;
    while ((end = heard.find('\n')) == std::string::npos) {
      if (!hear(socket, heard)) ::_exit(0);
    }
    Task task;
    unsigned long long configuration = 0, seed = 0;
    if (std::sscanf(heard.c_str(), "%llu %llu", &configuration, &seed) != 2) ::_exit(1);
    task.configuration = configuration;
    task.seed = seed;
    heard.erase(0, end + 1);
    if (!send_all(socket, play_(task) + "\n")) ::_exit(0);
  }
}

std::string Workers::death_of(Worker& worker) {
  int status = 0;
  while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(worker.socket);
  worker.process = worker.socket = -1;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

std::vector<Workers::Finished> Workers::wait(int most_ms) {
  std::vector<pollfd> sockets;
  std::vector<Worker*> busy;
  for (Worker& worker : workers_) {
    if (!worker.is_busy) continue;
    sockets.push_back({worker.socket, POLLIN, 0});
    busy.push_back(&worker);
  }
  std::vector<Finished> finished;
  if (::poll(sockets.data(), sockets.size(), most_ms) <= 0) return finished;
  for (std::size_t i = 0; i < busy.size(); ++i) {
    if (sockets[i].revents == 0) continue;
    Worker& worker = *busy[i];
    if (!hear(worker.socket, worker.heard)) {
      worker.is_busy = false;
      finished.push_back({worker.task, {}, death_of(worker)});
      continue;
    }
    if (worker.heard.empty() || worker.heard.back() != '\n') continue;
    worker.heard.pop_back();
    worker.is_busy = false;
    finished.push_back({worker.task, std::exchange(worker.heard, {}), {}});
  }
  return finished;
}

void Workers::end(Worker& worker) {
  if (worker.socket < 0) return;
  ::kill(worker.process, SIGKILL);
  death_of(worker);
}

}  // namespace sim::sweep
