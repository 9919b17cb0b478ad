#!/usr/bin/env node
"use strict";
require("./start.cjs")("outrider", "main.ts");
