// SPDX-License-Identifier: MIT
#include "app/cli/commandline.h"

int main(int argumentCount, char** arguments)
{
    return isol8::cli::runCommandLine(argumentCount, arguments);
}
