"use strict";
// The answer goes on by itself; without this there is a button.
HTMLFormElement.prototype.submit.call(document.getElementById("answer"));
