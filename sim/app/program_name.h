#pragma once

#include <string>
#include <string_view>

// How this program is called here: `kraftsim` stands in every text, but it need not be on the PATH.
namespace sim::app {

// kraftsim if the shell finds it, else ./kraftsim if that stands in the working folder, else where this
// program lies.
const std::string& program_name();

// `text` with every command of kraftsim in it ("kraftsim run ...") as it can be pasted here.
std::string with_program_name(std::string_view text);
// The same, for a program that is called otherwise.
std::string with_program_name(std::string_view text, std::string_view program);

}  // namespace sim::app
