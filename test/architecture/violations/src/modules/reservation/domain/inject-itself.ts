// Breaks: reservation-domain-is-pure
import { Injectable } from '@nestjs/common';

export const decorate = Injectable();
